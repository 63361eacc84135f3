//! How JSON is laid out for a person to edit: a line for each value. Nothing but the space between its parts is
//! changed, so that numbers, escapes and the order of fields stay as they are.

use zeroize::Zeroizing;

/// How far each level is moved to the right.
const STEP: usize = 2;

/// JSON with a line for each value. Of what is not JSON something else comes out.
pub fn spread(json: &[u8]) -> Zeroizing<Vec<u8>> {
    written(json, true)
}

/// JSON without any space between its parts, as servers write it.
pub fn close(json: &[u8]) -> Zeroizing<Vec<u8>> {
    written(json, false)
}

fn written(json: &[u8], is_spread: bool) -> Zeroizing<Vec<u8>> {
    let mut size = 0;
    write(json, is_spread, &mut |part| size += part.len());
    // What grows leaves copies behind, which nobody wipes.
    let mut text = Zeroizing::new(Vec::with_capacity(size));
    write(json, is_spread, &mut |part| text.extend_from_slice(part));
    text
}

fn write(json: &[u8], is_spread: bool, put: &mut dyn FnMut(&[u8])) {
    let line = |level: usize, put: &mut dyn FnMut(&[u8])| {
        if is_spread {
            put(b"\n");
            (0..level.saturating_mul(STEP)).for_each(|_| put(b" "));
        }
    };
    let (mut level, mut is_text, mut is_escaped) = (0_usize, false, false);
    // Whether an object or array has just begun, which may be empty.
    let mut is_new = false;
    for byte in json {
        let this = std::slice::from_ref(byte);
        if is_text {
            put(this);
            is_text = is_escaped || *byte != b'"';
            is_escaped = !is_escaped && *byte == b'\\';
            continue;
        }
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => continue,
            b'}' | b']' => {
                level = level.saturating_sub(1);
                if !is_new {
                    line(level, put);
                }
                is_new = false;
                put(this);
                continue;
            }
            _ => {}
        }
        if is_new {
            line(level, put);
            is_new = false;
        }
        put(this);
        match byte {
            b'{' | b'[' => {
                level = level.saturating_add(1);
                is_new = true;
            }
            b',' => line(level, put),
            b':' if is_spread => put(b" "),
            b'"' => is_text = true,
            _ => {}
        }
    }
    if is_spread {
        put(b"\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_has_a_line_and_nothing_else_is_changed() {
        let closed = br#"{"b":[1.50,-0,{}],"a":{"x":"{\",: \\","y":[[],"\u003c"]},"a":null}"#;
        let wanted = r#"{
  "b": [
    1.50,
    -0,
    {}
  ],
  "a": {
    "x": "{\",: \\",
    "y": [
      [],
      "\u003c"
    ]
  },
  "a": null
}
"#;
        let spread = spread(closed);
        assert_eq!(str::from_utf8(&spread).unwrap(), wanted);
        assert_eq!(*close(&spread), closed);
        assert_eq!(*close(closed), closed);
    }

    #[test]
    fn what_is_no_json_harms_nobody() {
        for text in [&b"]]]]{{{{"[..], b"\"", b"\\", b"", b"\xff\"\xff"] {
            assert!(spread(text).len() < 100);
            assert!(close(text).len() <= text.len());
        }
    }
}
