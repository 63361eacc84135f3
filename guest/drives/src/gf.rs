//! The field of 256 elements with the polynomial 0x11d, and matrices over it.
//!
//! Elements are multiplied step by step, which is slow and needs no table; where many bytes are
//! multiplied by one element, [`Products`] has all products of it.

use alloc::vec;
use alloc::vec::Vec;
use core::mem;

/// The polynomial without its highest term.
const POLYNOMIAL: u8 = 0x1d;

/// A matrix, row by row.
pub type Matrix = Vec<Vec<u8>>;

/// The product of two elements.
pub fn multiply(left: u8, right: u8) -> u8 {
    let (mut shifted, mut bits, mut product) = (left, right, 0);
    while bits != 0 {
        if bits & 1 == 1 {
            product ^= shifted;
        }
        let carry = shifted & 0x80 != 0;
        shifted <<= 1;
        if carry {
            shifted ^= POLYNOMIAL;
        }
        bits >>= 1;
    }
    product
}

/// `base` to the power of `exponent`; 0 to the power of 0 is 1.
pub fn power(base: u8, exponent: usize) -> u8 {
    // The order of every element but 0 divides 255.
    (0..exponent.min(exponent % 255 + 255)).fold(1, |product, _| multiply(product, base))
}

/// The element that gives 1 with this one; 0 for 0, which has none.
fn inverse(element: u8) -> u8 {
    power(element, 254)
}

/// All products of one element.
pub struct Products([u8; 256]);

impl Products {
    /// Those of this element.
    pub fn of(element: u8) -> Self {
        let mut products = [0; 256];
        for (product, factor) in products.iter_mut().zip(0..=u8::MAX) {
            *product = multiply(element, factor);
        }
        Self(products)
    }

    /// Adds the product with each byte of `from` to the byte of `to` at the same place.
    pub fn add(&self, from: &[u8], to: &mut [u8]) {
        for (to, from) in to.iter_mut().zip(from) {
            *to ^= self.0.get(usize::from(*from)).copied().unwrap_or_default();
        }
    }
}

/// The product of two matrices.
pub fn product(left: &Matrix, right: &Matrix) -> Matrix {
    let width = right.first().map_or(0, Vec::len);
    left.iter()
        .map(|row| {
            let mut out = vec![0; width];
            for (factor, of) in row.iter().zip(right) {
                for (to, from) in out.iter_mut().zip(of) {
                    *to ^= multiply(*factor, *from);
                }
            }
            out
        })
        .collect()
}

/// The matrix that gives the unit matrix with this square one; none if there is none.
pub fn inverted(matrix: &Matrix) -> Option<Matrix> {
    let size = matrix.len();
    // The unit matrix beside it goes through the same steps and becomes the inverse.
    let mut rows: Matrix = matrix
        .iter()
        .enumerate()
        .map(|(number, row)| {
            let unit = (0..size).map(|column| u8::from(column == number));
            row.iter().copied().chain(unit).collect()
        })
        .collect();
    for column in 0..size {
        let is_usable = |row: &Vec<u8>| row.get(column).is_some_and(|first| *first != 0);
        let found = column + rows.iter().skip(column).position(is_usable)?;
        rows.swap(column, found);
        let mut pivot = mem::take(rows.get_mut(column)?);
        let factor = inverse(*pivot.get(column)?);
        pivot
            .iter_mut()
            .for_each(|element| *element = multiply(*element, factor));
        for row in rows.iter_mut().filter(|row| !row.is_empty()) {
            let factor = *row.get(column)?;
            for (to, from) in row.iter_mut().zip(&pivot) {
                *to ^= multiply(factor, *from);
            }
        }
        *rows.get_mut(column)? = pivot;
    }
    rows.iter()
        .map(|row| Some(row.get(size..)?.to_vec()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_but_zero_has_an_inverse() {
        for element in 1..=255 {
            assert_eq!(multiply(element, inverse(element)), 1, "{element}");
            assert_eq!(power(element, 255), 1);
            assert_eq!(power(element, 256), element);
        }
        assert_eq!((power(0, 0), power(0, 1), power(0, 510)), (1, 0, 0));
    }

    #[test]
    fn a_matrix_times_its_inverse_is_the_unit_matrix() {
        let matrix = vec![vec![0, 1, 2], vec![3, 4, 5], vec![6, 7, 9]];
        let unit = vec![vec![1, 0, 0], vec![0, 1, 0], vec![0, 0, 1]];
        assert_eq!(product(&matrix, &inverted(&matrix).unwrap()), unit);
        assert_eq!(inverted(&vec![vec![1, 2], vec![1, 2]]), None);
    }
}
