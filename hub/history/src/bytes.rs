//! Small encodings: varints, and columns of integers packed to the width they need.

use crate::error::{HistoryError, Result};

/// Appends an unsigned number, seven bits a byte.
pub(crate) fn put_uint(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

/// Appends a signed number so that small ones of either sign are short.
pub(crate) fn put_int(out: &mut Vec<u8>, n: i64) {
    put_uint(out, ((n << 1) ^ (n >> 63)) as u64);
}

/// Appends bytes with their length before them.
pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_uint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Reads what the `put_` functions wrote; every read is checked against the end.
pub(crate) struct Cursor<'a> {
    what: &'static str,
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    /// Starts at the front of `bytes`, which errors call `what`.
    pub(crate) fn new(what: &'static str, bytes: &'a [u8]) -> Self {
        Self { what, rest: bytes }
    }

    /// An error about these bytes.
    pub(crate) fn corrupt(&self, why: impl Into<String>) -> HistoryError {
        HistoryError::corrupt(self.what, why)
    }

    pub(crate) fn byte(&mut self) -> Result<u8> {
        let (&first, rest) = self.rest.split_first().ok_or_else(|| self.corrupt("it is cut short"))?;
        self.rest = rest;
        Ok(first)
    }

    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8]> {
        if len > self.rest.len() {
            return Err(self.corrupt("it is cut short"));
        }
        let (head, rest) = self.rest.split_at(len);
        self.rest = rest;
        Ok(head)
    }

    pub(crate) fn uint(&mut self) -> Result<u64> {
        let mut n = 0_u64;
        for shift in (0..70).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            n |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(n);
            }
        }
        Err(self.corrupt("a number is too long"))
    }

    pub(crate) fn int(&mut self) -> Result<i64> {
        let n = self.uint()?;
        Ok((n >> 1) as i64 ^ -((n & 1) as i64))
    }

    pub(crate) fn u64(&mut self) -> Result<u64> {
        let bytes = self.take(8)?;
        let mut array = [0; 8];
        array.copy_from_slice(bytes);
        Ok(u64::from_le_bytes(array))
    }

    /// A count that may not exceed `max`.
    pub(crate) fn count(&mut self, max: usize) -> Result<usize> {
        let n = self.uint()?;
        if n > max as u64 {
            return Err(self.corrupt(format!("a count of {n} is over {max}")));
        }
        Ok(n as usize)
    }

    /// What [`put_bytes`] wrote.
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8]> {
        let len = self.uint()?;
        if len > self.rest.len() as u64 {
            return Err(self.corrupt("it is cut short"));
        }
        self.take(len as usize)
    }
}

/// Appends a column: its smallest value, the width of the largest difference to it, and the differences
/// at that width. A constant column costs two bytes or so, and reading costs about a nanosecond a value.
pub(crate) fn put_column(out: &mut Vec<u8>, column: &[i64]) {
    let base = column.iter().copied().min().unwrap_or(0);
    let widest = column.iter().map(|&n| n.wrapping_sub(base) as u64).max().unwrap_or(0);
    let width = 64 - widest.leading_zeros();
    put_int(out, base);
    out.push(width as u8);
    let mut pending = 0_u128;
    let mut filled = 0_u32;
    for &n in column {
        pending |= u128::from(n.wrapping_sub(base) as u64) << filled;
        filled += width;
        while filled >= 8 {
            out.push(pending as u8);
            pending >>= 8;
            filled -= 8;
        }
    }
    if filled > 0 {
        out.push(pending as u8);
    }
}

/// Reads a column of `len` values into `column`, replacing what was there.
pub(crate) fn read_column(cursor: &mut Cursor<'_>, len: usize, column: &mut Vec<i64>) -> Result<()> {
    let base = cursor.int()?;
    let width = u32::from(cursor.byte()?);
    if width > 64 {
        return Err(cursor.corrupt("a column is wider than 64 bits"));
    }
    column.clear();
    if width == 0 {
        column.resize(len, base);
        return Ok(());
    }
    let bytes = cursor.take((len * width as usize).div_ceil(8))?;
    let mask = if width == 64 { u64::MAX } else { (1 << width) - 1 };
    column.reserve(len);
    if width <= 56 {
        // Whole words where eight bytes remain; the last few values from a padded copy.
        for i in 0..len {
            let bit = i * width as usize;
            let at = bit / 8;
            let mut word = [0; 8];
            if let Some(slice) = bytes.get(at..at + 8) {
                word.copy_from_slice(slice);
            } else {
                word[..bytes.len() - at].copy_from_slice(&bytes[at..]);
            }
            let n = (u64::from_le_bytes(word) >> (bit % 8)) & mask;
            column.push(base.wrapping_add(n as i64));
        }
    } else {
        let mut pending = 0_u128;
        let mut filled = 0_u32;
        let mut bytes = bytes.iter();
        for _ in 0..len {
            while filled < width {
                pending |= u128::from(*bytes.next().unwrap_or(&0)) << filled;
                filled += 8;
            }
            column.push(base.wrapping_add((pending as u64 & mask) as i64));
            pending >>= width;
            filled -= width;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn columns_come_back(column in prop::collection::vec(any::<i64>(), 0..200), narrow in 0_u32..64) {
            let column: Vec<i64> = column.iter().map(|n| n >> narrow).collect();
            let mut out = Vec::new();
            put_column(&mut out, &column);
            let mut back = Vec::new();
            read_column(&mut Cursor::new("test", &out), column.len(), &mut back).unwrap();
            prop_assert_eq!(back, column);
        }

        #[test]
        fn numbers_come_back(n in any::<i64>(), u in any::<u64>()) {
            let mut out = Vec::new();
            put_int(&mut out, n);
            put_uint(&mut out, u);
            let mut cursor = Cursor::new("test", &out);
            prop_assert_eq!(cursor.int().unwrap(), n);
            prop_assert_eq!(cursor.uint().unwrap(), u);
            prop_assert!(cursor.byte().is_err());
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let mut cursor = Cursor::new("test", &bytes);
            let mut column = Vec::new();
            while read_column(&mut cursor, 3, &mut column).is_ok() && cursor.uint().is_ok() {}
        }
    }
}
