//! What iamseal's components have beside their work: memory that is wiped when it is freed, values that
//! live as long as the instance, and, for a component without a standard library, what that would have
//! brought along. The latter invokes [`component!`].
#![no_std]
#![allow(unsafe_code)]

extern crate alloc;

use core::alloc::{GlobalAlloc, Layout};
use core::cell::{RefCell, RefMut};
use core::fmt::{self, Write};
use core::panic::PanicInfo;

pub use dlmalloc::GlobalDlmalloc;

/// Makes what a component without a standard library needs: an allocator, the function that the canonical
/// ABI allocates with, and the panic handler. `$tell`, a `fn(&str)`, gets a panic's message, then the component
/// traps. It must not allocate, since running out of memory ends here too.
#[macro_export]
macro_rules! component {
    ($tell:expr) => {
        #[global_allocator]
        static ALLOCATOR: $crate::Wiping<$crate::GlobalDlmalloc> =
            $crate::Wiping($crate::GlobalDlmalloc);

        #[panic_handler]
        fn panic(info: &core::panic::PanicInfo) -> ! {
            $crate::panicked(info, $tell)
        }

        /// Where the canonical ABI puts lists and strings that come in.
        #[allow(unsafe_code)]
        #[unsafe(no_mangle)]
        unsafe extern "C" fn cabi_realloc(
            old: *mut u8,
            old_size: usize,
            align: usize,
            new_size: usize,
        ) -> *mut u8 {
            // SAFETY: the caller's promises are passed on.
            unsafe { $crate::realloc(old, old_size, align, new_size) }
        }

        /// Comparing slices calls this, and without a C library nobody else brings it.
        #[allow(unsafe_code)]
        #[unsafe(no_mangle)]
        unsafe extern "C" fn memcmp(left: *const u8, right: *const u8, size: usize) -> i32 {
            // SAFETY: the caller's promises are passed on.
            unsafe { $crate::compare(left, right, size) }
        }
    };
}

/// What the panic handler of [`component!`] does.
pub fn panicked(info: &PanicInfo, tell: fn(&str)) -> ! {
    // No allocation here: running out of memory ends here too.
    let mut message = Message {
        text: [0; 512],
        len: 0,
    };
    let _ = write!(message, "{info}");
    tell(message.as_str());
    core::arch::wasm32::unreachable()
}

/// A value that lives as long as the instance.
pub struct Global<T>(RefCell<Option<T>>);

// SAFETY: a component without threads serves one call at a time.
unsafe impl<T> Sync for Global<T> {}

impl<T: Default> Global<T> {
    /// A value that is made on first use.
    #[allow(clippy::new_without_default)] // A default could not be made in a constant.
    pub const fn new() -> Self {
        Self(RefCell::new(None))
    }

    /// The value. Must not be borrowed twice at a time.
    pub fn get(&self) -> RefMut<'_, T> {
        RefMut::map(self.0.borrow_mut(), |value| {
            value.get_or_insert_with(T::default)
        })
    }
}

/// An allocator that wipes whatever is freed: keys, passwords and plaintexts pass through lists that the
/// generated code allocates and frees, where nothing else could wipe them.
pub struct Wiping<A>(pub A);

// SAFETY: every call goes on to the other allocator; before that, memory that is about to be freed is
// written within its bounds.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Wiping<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are passed on.
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are passed on.
        unsafe { self.0.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block is the caller's and as large as the layout says.
        unsafe { block.write_bytes(0, layout.size()) };
        // The compiler must not see that nobody reads the zeros.
        core::hint::black_box(block);
        // SAFETY: the caller's promises are passed on.
        unsafe { self.0.dealloc(block, layout) }
    }

    // `realloc` is left to the default, which allocates, copies and comes back to `dealloc`: growing
    // in place would be faster, but when a block moves the old one would not be wiped.
}

/// What `cabi_realloc` of [`component!`] does.
///
/// # Safety
/// As the canonical ABI calls it: `old` is a block of `old_size` bytes from here, or null with size 0.
pub unsafe fn realloc(old: *mut u8, old_size: usize, align: usize, new_size: usize) -> *mut u8 {
    if new_size == 0 {
        return core::ptr::without_provenance_mut(align);
    }
    let Ok(layout) = Layout::from_size_align(new_size, align) else {
        core::arch::wasm32::unreachable()
    };
    let block = if old_size == 0 {
        // SAFETY: the size is not zero.
        unsafe { alloc::alloc::alloc(layout) }
    } else {
        let Ok(old_layout) = Layout::from_size_align(old_size, align) else {
            core::arch::wasm32::unreachable()
        };
        // SAFETY: the block came from here with this layout.
        unsafe { alloc::alloc::realloc(old, old_layout, new_size) }
    };
    if block.is_null() {
        alloc::alloc::handle_alloc_error(layout);
    }
    block
}

/// What `memcmp` of [`component!`] does.
///
/// # Safety
/// Both blocks are at least `size` bytes.
pub unsafe fn compare(left: *const u8, right: *const u8, size: usize) -> i32 {
    for at in 0..size {
        // SAFETY: `at` is within both blocks.
        let (left, right) = unsafe { (*left.add(at), *right.add(at)) };
        if left != right {
            return i32::from(left) - i32::from(right);
        }
    }
    0
}

/// A text that is cut when it is full.
struct Message {
    text: [u8; 512], // a source location and a sentence
    len: usize,
}

impl Message {
    fn as_str(&self) -> &str {
        let written = self.text.get(..self.len).unwrap_or_default();
        written
            .utf8_chunks()
            .next()
            .map_or("", |chunk| chunk.valid())
    }
}

impl Write for Message {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.text.get_mut(self.len..).unwrap_or_default();
        for (to, from) in room.iter_mut().zip(text.bytes()) {
            *to = from;
            self.len += 1;
        }
        Ok(())
    }
}
