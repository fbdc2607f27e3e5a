//! Files for the person: tables and pictures of what they look at.

use bevy::prelude::*;
use bevy::render::view::screenshot::{Screenshot, ScreenshotCaptured};
use bevy_egui::egui::Rect as EguiRect;

use crate::app::Twin;

/// Gives the person a file: into their folder of downloads, without writing over another. Gives back where it is.
///
/// # Errors
/// Why it can't be written, for people.
#[cfg(not(target_arch = "wasm32"))]
pub fn give(name: &str, bytes: &[u8]) -> Result<String, String> {
    give_into(&downloads(), name, bytes)
}

/// The folder for downloads, else the home, else where the program runs.
#[cfg(not(target_arch = "wasm32"))]
fn downloads() -> std::path::PathBuf {
    let of =
        |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(std::path::PathBuf::from);
    let home = of("HOME").or_else(|| of("USERPROFILE"));
    let usual = of("XDG_DOWNLOAD_DIR").or_else(|| Some(home.clone()?.join("Downloads")));
    usual.filter(|folder| folder.is_dir()).or(home).unwrap_or_else(|| ".".into())
}

#[cfg(not(target_arch = "wasm32"))]
fn give_into(folder: &std::path::Path, name: &str, bytes: &[u8]) -> Result<String, String> {
    use std::io::Write as _;
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, "txt"));
    for number in 0..1000 {
        let name = if number == 0 { name.to_owned() } else { format!("{stem} ({number}).{ending}") };
        let path = folder.join(name);
        let file = std::fs::OpenOptions::new().write(true).create_new(true).open(&path);
        let say = |why: std::io::Error| format!("{}: {why}", path.display());
        match file {
            Ok(mut file) => {
                file.write_all(bytes).map_err(say)?;
                return Ok(path.display().to_string());
            }
            Err(why) if why.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(why) => return Err(say(why)),
        }
    }
    Err(format!("{}: there are a thousand files of this name", folder.display()))
}

/// Gives the person a file: the browser puts it where it puts downloads.
///
/// # Errors
/// Why it can't, for people.
#[cfg(target_arch = "wasm32")]
pub fn give(name: &str, bytes: &[u8]) -> Result<String, String> {
    use wasm_bindgen::JsCast as _;
    let give = || -> Result<(), wasm_bindgen::JsValue> {
        let parts = js_sys::Array::of1(&js_sys::Uint8Array::from(bytes));
        let blob = web_sys::Blob::new_with_u8_array_sequence(&parts)?;
        let url = web_sys::Url::create_object_url_with_blob(&blob)?;
        let page = web_sys::window().and_then(|window| window.document()).ok_or("no page")?;
        let link: web_sys::HtmlElement = page.create_element("a")?.unchecked_into();
        link.set_attribute("href", &url)?;
        link.set_attribute("download", name)?;
        link.click();
        web_sys::Url::revoke_object_url(&url)
    };
    give().map(|()| name.to_owned()).map_err(|why| format!("the browser keeps no file: {why:?}"))
}

/// Takes a picture of a part of the screen, in points, and gives it to the person.
pub fn picture(commands: &mut Commands<'_, '_>, rect: EguiRect, pixels_per_point: f32) {
    let now = move |captured: On<'_, '_, ScreenshotCaptured>,
                    mut twin: ResMut<'_, Twin>,
                    time: Res<'_, Time<Real>>| {
        let now_s = time.elapsed_secs_f64();
        let twin = twin.bypass_change_detection();
        match png_of(&captured.image, rect * pixels_per_point) {
            Ok(bytes) => twin.give("campanile.png", &bytes, now_s),
            Err(why) => twin.say_not_done(why, now_s),
        }
    };
    commands.spawn(Screenshot::primary_window()).observe(now);
}

/// A part of an image, in pixels, as a PNG.
fn png_of(image: &Image, rect: EguiRect) -> Result<Vec<u8>, String> {
    let image = image.clone().try_into_dynamic().map_err(|why| why.to_string())?.to_rgb8();
    let (width, height) = image.dimensions();
    let whole = |x: f32, most: u32| (x.max(0.0) as u32).min(most);
    let (left, right) = (whole(rect.left(), width), whole(rect.right().ceil(), width));
    let (top, bottom) = (whole(rect.top(), height), whole(rect.bottom().ceil(), height));
    if right <= left || bottom <= top {
        return Err("the part of the screen is empty".into());
    }
    let row = |y: u32| {
        let from = ((y * width + left) * 3) as usize;
        image.as_raw().get(from..from + ((right - left) * 3) as usize).unwrap_or_default()
    };
    let pixels: Vec<u8> = (top..bottom).flat_map(row).copied().collect();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, right - left, bottom - top);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().map_err(|why| why.to_string())?;
    writer.write_image_data(&pixels).map_err(|why| why.to_string())?;
    writer.finish().map_err(|why| why.to_string())?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use bevy::asset::RenderAssetUsages;
    use bevy::render::render_resource::{Extent3d, TextureDimension, TextureFormat};
    use bevy_egui::egui::pos2;

    use super::*;

    #[test]
    fn a_file_is_never_written_over() {
        let folder = std::env::temp_dir().join(format!("campanile-keep-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let first = give_into(&folder, "a.csv", b"1").unwrap();
        let second = give_into(&folder, "a.csv", b"2").unwrap();
        assert!(first.ends_with("a.csv") && second.ends_with("a (1).csv"), "{first} {second}");
        assert_eq!(std::fs::read(first).unwrap(), b"1");
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(give_into(&folder, "a.csv", b"3").unwrap_err().contains("a.csv"));
    }

    #[test]
    fn a_picture_has_just_the_part_that_was_asked_for() {
        let pixels: Vec<u8> = (0..4 * 3).flat_map(|i| [i, 0, 0, 255]).collect();
        let size = Extent3d { width: 4, height: 3, depth_or_array_layers: 1 };
        let (format, usage) = (TextureFormat::Rgba8UnormSrgb, RenderAssetUsages::default());
        let image = Image::new(size, TextureDimension::D2, pixels, format, usage);
        let bytes = png_of(&image, EguiRect::from_min_max(pos2(1.0, 1.0), pos2(3.0, 99.0))).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        let mut buffer = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut buffer).unwrap();
        assert_eq!((info.width, info.height), (2, 2));
        assert_eq!(buffer.iter().step_by(3).copied().collect::<Vec<u8>>(), [5, 6, 9, 10]);
        assert!(png_of(&image, EguiRect::from_min_max(pos2(9.0, 9.0), pos2(10.0, 10.0))).is_err());
    }
}
