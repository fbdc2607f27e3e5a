//! GeoTIFF with one band (OGC 19-008r4), as terrain and rasters need it.
//!
//! Reads stripped or tiled files of `f32`, `f64`, `i16` or `u16` (also `u8`, `i8`, `u32`, `i32`) placed by
//! pixel scale and tie point; writes stripped `f32` with a user-defined local coordinate system in
//! metres. What tiles and strips are compressed with is the `tiff` crate's affair. `f64` and 32-bit
//! integers are rounded to the nearest `f32`.

use std::io::Cursor;

use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::encoder::{TiffEncoder, colortype::Gray32Float};
use tiff::tags::Tag;

use crate::grid::{self, Grid, GridError, MAX_CELLS};

/// What can be wrong with a GeoTIFF.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GeoTiffError {
    /// The file isn't a TIFF, is cut short, or uses something that isn't supported.
    #[error(
        "the TIFF can't be read: {0}; save it again as an uncompressed or deflated GeoTIFF of 32-bit floats"
    )]
    Read(tiff::TiffError),
    /// The TIFF couldn't be made.
    #[error("the TIFF can't be written: {0}")]
    Write(tiff::TiffError),
    /// More than one band, or a sample type that isn't supported.
    #[error(
        "the image has {found}, but one band of f32, f64, i16 or u16 is needed: export the height band alone"
    )]
    Samples {
        /// What was found.
        found: String,
    },
    /// The file doesn't say where it lies.
    #[error(
        "the file has no usable {name} (tag {tag}): save it as a GeoTIFF, north up, with pixel scale and tie point"
    )]
    Georeference {
        /// Name of the tag.
        name: &'static str,
        /// Number of the tag.
        tag: u16,
    },
    /// The "no data" tag isn't a number.
    #[error(
        "the GDAL_NODATA tag (42113) holds `{found}`, which isn't a number: set it to a number or remove it"
    )]
    Nodata {
        /// The text found, shortened.
        found: String,
    },
    /// Wrong size or geometry.
    #[error(transparent)]
    Grid(#[from] GridError),
}

/// GTRasterTypeGeoKey and its value for "a pixel is a point".
const RASTER_TYPE_KEY: u16 = 1025;
const PIXEL_IS_POINT: u16 = 2;
/// The name of the coordinate system that we write, ending with the `|` that the standard asks for.
const CITATION: &str = "Local plan coordinates (m)|";

/// Reads a grid from the bytes of a GeoTIFF.
///
/// # Errors
/// [`GeoTiffError`] for anything that isn't one north-up band within [`MAX_CELLS`].
pub fn read(bytes: &[u8]) -> Result<Grid, GeoTiffError> {
    let mut limits = Limits::default();
    limits.decoding_buffer_size = MAX_CELLS * 8;
    limits.intermediate_buffer_size = MAX_CELLS * 8;
    let mut decoder = Decoder::new(Cursor::new(bytes)).map_err(GeoTiffError::Read)?.with_limits(limits);
    let (cols, rows) = decoder.dimensions().map_err(GeoTiffError::Read)?;
    grid::check_size(u64::from(cols), u64::from(rows))?;
    let colour = decoder.colortype().map_err(GeoTiffError::Read)?;
    if colour.num_samples() != 1 {
        return Err(GeoTiffError::Samples { found: format!("{} bands", colour.num_samples()) });
    }
    let scale = doubles(&mut decoder, Tag::ModelPixelScaleTag)?
        .filter(|s| s.len() >= 2)
        .ok_or(GeoTiffError::Georeference { name: "ModelPixelScale", tag: 33550 })?;
    let tie = doubles(&mut decoder, Tag::ModelTiepointTag)?
        .filter(|t| t.len() >= 6)
        .ok_or(GeoTiffError::Georeference { name: "ModelTiepoint", tag: 33922 })?;
    let keys = match decoder.find_tag(Tag::GeoKeyDirectoryTag).map_err(GeoTiffError::Read)? {
        Some(value) => value.into_u16_vec().map_err(GeoTiffError::Read)?,
        None => Vec::new(),
    };
    // Where a pixel is a point the tie lies on its centre: half a cell inside its corner.
    let is_point =
        keys.chunks_exact(4).skip(1).any(|k| k[0] == RASTER_TYPE_KEY && k[1] == 0 && k[3] == PIXEL_IS_POINT);
    let half = if is_point { 0.5 } else { 0.0 };
    let cell_m = (scale[0], scale[1]);
    let origin = (tie[3] - (tie[0] + half) * cell_m.0, tie[4] + (tie[1] + half) * cell_m.1);
    let nodata = match decoder.find_tag(Tag::GdalNodata).map_err(GeoTiffError::Read)? {
        None => None,
        Some(value) => {
            let text = value.into_string().map_err(GeoTiffError::Read)?;
            let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\0');
            let number: f64 =
                text.parse().map_err(|_| GeoTiffError::Nodata { found: text.chars().take(40).collect() })?;
            Some(number as f32)
        }
    };
    let values = match decoder.read_image().map_err(GeoTiffError::Read)? {
        DecodingResult::F32(v) => v,
        DecodingResult::F64(v) => v.into_iter().map(|x| x as f32).collect(),
        DecodingResult::I16(v) => v.into_iter().map(f32::from).collect(),
        DecodingResult::U16(v) => v.into_iter().map(f32::from).collect(),
        DecodingResult::I8(v) => v.into_iter().map(f32::from).collect(),
        DecodingResult::U8(v) => v.into_iter().map(f32::from).collect(),
        DecodingResult::I32(v) => v.into_iter().map(|x| x as f32).collect(),
        DecodingResult::U32(v) => v.into_iter().map(|x| x as f32).collect(),
        _ => return Err(GeoTiffError::Samples { found: format!("samples of type {colour:?}") }),
    };
    let grid = Grid { cols: cols as usize, rows: rows as usize, cell_m, origin, nodata, values };
    grid.check()?;
    Ok(grid)
}

/// Writes a grid as a GeoTIFF of 32-bit floats; the same grid gives the same bytes.
///
/// # Errors
/// [`GeoTiffError::Grid`] if the grid is inconsistent.
pub fn write(grid: &Grid) -> Result<Vec<u8>, GeoTiffError> {
    grid.check()?;
    let mut bytes = Vec::with_capacity(grid.values.len() * 4 + 4096);
    encode(grid, &mut bytes).map_err(GeoTiffError::Write)?;
    Ok(bytes)
}

fn encode(grid: &Grid, bytes: &mut Vec<u8>) -> Result<(), tiff::TiffError> {
    let mut encoder = TiffEncoder::new(Cursor::new(bytes))?;
    // `check` holds both below MAX_CELLS, so they fit 32 bits.
    let mut image = encoder.new_image::<Gray32Float>(grid.cols as u32, grid.rows as u32)?;
    let tags = image.encoder();
    tags.write_tag(Tag::ModelPixelScaleTag, &[grid.cell_m.0, grid.cell_m.1, 0.0][..])?;
    tags.write_tag(Tag::ModelTiepointTag, &[0.0, 0.0, 0.0, grid.origin.0, grid.origin.1, 0.0][..])?;
    let keys: [u16; 20] = [
        1,
        1,
        0,
        4, // version 1.1.0, four keys
        1024,
        0,
        1,
        32767, // GTModelType: user-defined
        RASTER_TYPE_KEY,
        0,
        1,
        1, // GTRasterType: a pixel is an area
        1026,
        34737,
        CITATION.len() as u16,
        0, // GTCitation: in GeoAsciiParams
        3076,
        0,
        1,
        9001, // ProjLinearUnits: metre
    ];
    tags.write_tag(Tag::GeoKeyDirectoryTag, &keys[..])?;
    tags.write_tag(Tag::GeoAsciiParamsTag, CITATION)?;
    if let Some(nodata) = grid.nodata {
        tags.write_tag(Tag::GdalNodata, format!("{nodata}").as_str())?;
    }
    image.write_data(&grid.values)
}

fn doubles(decoder: &mut Decoder<Cursor<&[u8]>>, tag: Tag) -> Result<Option<Vec<f64>>, GeoTiffError> {
    match decoder.find_tag(tag).map_err(GeoTiffError::Read)? {
        Some(value) => value.into_f64_vec().map(Some).map_err(GeoTiffError::Read),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tiff::encoder::colortype::{ColorType, Gray16, Gray64Float, GrayI16, RGB8};

    fn hill() -> Grid {
        let values = (0..70 * 50).map(|i| (i % 70) as f32 * 0.37 - (i / 70) as f32 * 1.01).collect();
        Grid {
            cols: 70,
            rows: 50,
            cell_m: (2.0, 2.5),
            origin: (-12.5, 300.25),
            nodata: Some(-9999.0),
            values,
        }
    }

    #[test]
    fn round_trips_bit_for_bit_and_is_deterministic() {
        let grid = hill();
        let bytes = write(&grid).unwrap();
        assert_eq!(read(&bytes).unwrap(), grid);
        assert_eq!(bytes, write(&grid).unwrap());
    }

    /// A 2 × 2 file of any sample type, with or without georeference.
    fn file<C: ColorType>(data: &[C::Inner], scale: bool, point: bool) -> Vec<u8>
    where
        [C::Inner]: tiff::encoder::TiffValue,
    {
        let mut bytes = Vec::new();
        let mut encoder = TiffEncoder::new(Cursor::new(&mut bytes)).unwrap();
        let mut image = encoder.new_image::<C>(2, 2).unwrap();
        if scale {
            image.encoder().write_tag(Tag::ModelPixelScaleTag, &[1.0, 1.0, 0.0][..]).unwrap();
        }
        image.encoder().write_tag(Tag::ModelTiepointTag, &[0.0, 0.0, 0.0, 5.0, 7.0, 0.0][..]).unwrap();
        if point {
            image.encoder().write_tag(Tag::GeoKeyDirectoryTag, &[1u16, 1, 0, 1, 1025, 0, 1, 2][..]).unwrap();
        }
        image.write_data(data).unwrap();
        bytes
    }

    #[test]
    fn reads_the_sample_types_of_the_field() {
        let want = [1.0, 2.0, 3.0, 40.0];
        for bytes in [
            file::<Gray16>(&[1, 2, 3, 40], true, false),
            file::<GrayI16>(&[1, 2, 3, 40], true, false),
            file::<Gray64Float>(&[1.0, 2.0, 3.0, 40.0], true, false),
        ] {
            let grid = read(&bytes).unwrap();
            assert_eq!((grid.values.as_slice(), grid.origin), (&want[..], (5.0, 7.0)));
        }
        let signed = read(&file::<GrayI16>(&[-3, 0, 0, 0], true, false)).unwrap();
        assert_eq!(signed.values[0], -3.0);
    }

    #[test]
    fn a_pixel_that_is_a_point_lies_half_a_cell_off() {
        let grid = read(&file::<Gray16>(&[1, 2, 3, 4], true, true)).unwrap();
        assert_eq!(grid.origin, (4.5, 7.5));
        assert_eq!(grid.sample_bilinear(5.0, 7.0), Some(1.0));
    }

    #[test]
    fn faults_say_what_to_do() {
        let mut cut = write(&hill()).unwrap();
        cut.truncate(100);
        for (bytes, says) in [
            (file::<Gray16>(&[1, 2, 3, 4], false, false), "tag 33550"),
            (file::<RGB8>(&[0; 12], true, false), "3 bands"),
            (cut, "can't be read"),
            (b"not a tiff at all".to_vec(), "can't be read"),
        ] {
            let error = read(&bytes).unwrap_err().to_string();
            assert!(error.contains(says), "{error} should say {says}");
        }
    }
}
