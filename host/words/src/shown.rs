//! Text of others within the tool's own: paths, names of keys and users, what a server said. Whoever
//! chose it must not move the cursor with it, break the line, turn the direction of what follows, or
//! make two names look like one.

use std::fmt::Write as _;
use std::ops::RangeInclusive;

/// What nobody sees although it is a letter, a mark or a sign by its category: the rest of Unicode's
/// property Default_Ignorable_Code_Point (DerivedCoreProperties.txt, 17.0), and a braille pattern
/// without dots.
const INVISIBLE: [RangeInclusive<char>; 10] = [
    '\u{34f}'..='\u{34f}',
    '\u{115f}'..='\u{1160}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180f}',
    '\u{2800}'..='\u{2800}',
    '\u{3164}'..='\u{3164}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{1bca0}'..='\u{1bca3}',
    '\u{e0000}'..='\u{e0fff}',
];

/// A name or a path for people: what does not show and what is not UTF-8 is escaped, and so is the
/// backslash, so that no two look alike.
pub fn shown(name: &[u8]) -> String {
    let mut text = String::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\\' => text.push_str("\\\\"),
                other => push(&mut text, other),
            }
        }
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// A sentence in which there may be something of others. Done twice it changes nothing more.
pub fn harmless(sentence: &str) -> String {
    let mut text = String::with_capacity(sentence.len());
    for character in sentence.chars() {
        push(&mut text, character);
    }
    text
}

fn push(text: &mut String, character: char) {
    match is_hidden(character) {
        true => text.extend(character.escape_default()),
        false => text.push(character),
    }
}

/// Whether it does not show as itself: a control or format character, a space or line break other than
/// the space, a character without a meaning or of private use, and what else is invisible.
pub fn is_hidden(character: char) -> bool {
    if matches!(character, ' '..='~') {
        return false;
    }
    character.is_control()
        || character.is_whitespace()
        || INVISIBLE.iter().any(|range| range.contains(&character))
        || is_unprintable(character)
}

/// What the categories Cc, Cf, Cn, Co, Zl, Zp and Zs hold, which the standard library escapes. It
/// escapes combining marks too, without which several languages cannot be written, but only as the first
/// of a text.
fn is_unprintable(character: char) -> bool {
    let mut text = String::from("x");
    text.push(character);
    text.escape_debug().nth(1) == Some('\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_drive_a_terminal() {
        assert_eq!(shown(b"a\x1b[2J\n\xff\x00"), "a\\u{1b}[2J\\n\\xff\\u{0}");
        assert_eq!(shown("a\u{9b}2J".as_bytes()), "a\\u{9b}2J");
        assert_eq!(shown(br"a\nb"), r"a\\nb");
    }

    /// By Unicode's name of the kind.
    #[test]
    fn what_does_not_show_is_escaped() {
        let kinds = [
            ("controls", '\0'..='\u{1f}'),
            ("delete and C1 controls", '\u{7f}'..='\u{9f}'),
            ("no-break space", '\u{a0}'..='\u{a0}'),
            ("soft hyphen", '\u{ad}'..='\u{ad}'),
            ("grapheme joiner", '\u{34f}'..='\u{34f}'),
            ("Arabic number signs", '\u{600}'..='\u{605}'),
            ("Arabic letter mark", '\u{61c}'..='\u{61c}'),
            ("Hangul fillers", '\u{115f}'..='\u{1160}'),
            ("Khmer inherent vowels", '\u{17b4}'..='\u{17b5}'),
            ("Mongolian selectors and separator", '\u{180b}'..='\u{180f}'),
            (
                "spaces, zero width, marks of direction",
                '\u{2000}'..='\u{200f}',
            ),
            (
                "separators, embeddings and overrides",
                '\u{2028}'..='\u{202f}',
            ),
            ("joiners, isolates, deprecated", '\u{205f}'..='\u{206f}'),
            ("blank braille pattern", '\u{2800}'..='\u{2800}'),
            ("ideographic space", '\u{3000}'..='\u{3000}'),
            ("Hangul filler", '\u{3164}'..='\u{3164}'),
            ("private use", '\u{e000}'..='\u{f8ff}'),
            ("variation selectors", '\u{fe00}'..='\u{fe0f}'),
            ("byte order mark", '\u{feff}'..='\u{feff}'),
            ("halfwidth Hangul filler", '\u{ffa0}'..='\u{ffa0}'),
            ("interlinear annotation", '\u{fff9}'..='\u{fffb}'),
            ("noncharacters", '\u{fffe}'..='\u{ffff}'),
            ("shorthand format controls", '\u{1bca0}'..='\u{1bca3}'),
            ("musical format controls", '\u{1d173}'..='\u{1d17a}'),
            ("tags and further selectors", '\u{e0000}'..='\u{e0fff}'),
        ];
        for (kind, characters) in kinds {
            for character in characters {
                let text: String = ['a', character, 'b'].into_iter().collect();
                let escaped = character.escape_default();
                assert_eq!(shown(text.as_bytes()), format!("a{escaped}b"), "{kind}");
                assert_eq!(harmless(&text), format!("a{escaped}b"), "{kind}");
            }
        }
    }

    #[test]
    fn what_is_written_stays_readable() {
        for text in [
            "uid=Zoë O'Neil, dc=\"x\"",
            "Zoe\u{308}",
            "हिन्दी",
            "ภาษาไทย",
            "עברית",
            "中文",
            "👍 €",
            "\u{fffd}",
        ] {
            assert_eq!(shown(text.as_bytes()), text);
            assert_eq!(harmless(text), text);
        }
    }

    #[test]
    fn harmless_twice_is_harmless_once() {
        let once = harmless("a\u{1b}b\\c\u{202e}");
        assert_eq!(once, "a\\u{1b}b\\c\\u{202e}");
        assert_eq!(harmless(&once), once);
    }
}
