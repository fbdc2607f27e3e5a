//! Bytes to arrays and back: EPW, GeoTIFF, ESRI ASCII grids, CSV with local time.
