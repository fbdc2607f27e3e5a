//! The layer as a file system of SQLite: the default of the test's process, over the one of the operating system.
//!
//! # Why this is sound
//! This is the only `unsafe` of the crate, and no part of what ships (`cfg(test)`).
//! - SQLite hands every method the address of `szOsFile` bytes that it has allocated, aligned for any type, and that
//!   stay where they are from `xOpen` to `xClose`. `szOsFile` is the size of [`Handle`] and of the real file together;
//!   [`Handle`]'s size is a multiple of the alignment of a pointer, so the real file behind it is aligned too.
//! - `base` comes first in the `repr(C)` [`Handle`], so that the address of the one is the address of the other.
//!   Methods other than `xOpen` are called only where `pMethods` is set, which [`open`] does last, after the real file
//!   is open and `watched` is a leaked box; [`close`] takes the box back, once, as SQLite closes a file once.
//! - SQLite does not call two methods of a file at the same time (a connection's mutex is held, or the connection is
//!   used by one thread), and what files share is behind a mutex in [`Disk`].
//! - Buffers are valid for the lengths that are given with them: SQLite's contract of `xRead` and `xWrite`.
//! - The real file system is registered by SQLite for as long as the process lives; ours is leaked for as long.
//! - Method tables of version 3 are required of the real file in [`open`], so that every pointer of it is there; a
//!   missing one would be an error code, not a call.

#![allow(unsafe_code)]
// A call of the macro may stand in a larger `unsafe`.
#![allow(unused_unsafe)]

use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;
use std::sync::Once;
use std::sync::atomic::{AtomicPtr, Ordering};

use rusqlite::ffi;

use super::layer::{Disk, Verdict};

/// The file system of the operating system.
static REAL: AtomicPtr<ffi::sqlite3_vfs> = AtomicPtr::new(ptr::null_mut());

/// A file as SQLite holds it; the real file lies behind it.
#[repr(C)]
struct Handle {
    base: ffi::sqlite3_file,
    watched: *mut Watched,
}

/// What the layer knows of an open file.
struct Watched {
    disk: Disk,
    image: usize,
    /// Whether the next sync has to make its name durable, too.
    sync_folder: bool,
}

/// Makes the layer the default file system of this process.
pub(super) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: a null name asks for the default; SQLite initialises itself at this call.
        let real = unsafe { ffi::sqlite3_vfs_find(ptr::null()) };
        assert!(!real.is_null(), "SQLite has no file system");
        REAL.store(real, Ordering::Release);
        // SAFETY: `real` points to a registered file system, which is plain data. The copy is leaked.
        let ours = Box::leak(Box::new(unsafe { *real }));
        ours.szOsFile += size_of::<Handle>() as c_int;
        ours.pNext = ptr::null_mut();
        ours.zName = c"power-loss".as_ptr();
        ours.xOpen = Some(open);
        ours.xDelete = Some(delete);
        // SAFETY: `ours` lives as long as the process.
        assert_eq!(unsafe { ffi::sqlite3_vfs_register(ours, 1) }, ffi::SQLITE_OK);
    });
}

unsafe fn path_of<'a>(name: *const c_char) -> Option<&'a Path> {
    // SAFETY: SQLite gives a null pointer for a temporary file, else a string that ends with zero.
    (!name.is_null()).then(|| Path::new(OsStr::from_bytes(unsafe { CStr::from_ptr(name) }.to_bytes())))
}

/// The real file behind a handle.
unsafe fn real(file: *mut ffi::sqlite3_file) -> *mut ffi::sqlite3_file {
    // SAFETY: `szOsFile` has room for both.
    unsafe { file.cast::<Handle>().add(1).cast() }
}

unsafe fn watched<'a>(file: *mut ffi::sqlite3_file) -> Option<&'a mut Watched> {
    // SAFETY: null for files outside of watched folders, else the box that `open` leaked.
    unsafe { (*file.cast::<Handle>()).watched.as_mut() }
}

/// Calls a method of the real file.
macro_rules! of_real {
    ($file:expr, $method:ident $(, $arg:expr)*) => {{
        // SAFETY: see the head of the module.
        unsafe {
            let real = real($file);
            match (*(*real).pMethods).$method {
                Some(method) => method(real $(, $arg)*),
                None => ffi::SQLITE_IOERR,
            }
        }
    }};
}

unsafe extern "C" fn open(
    _vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    let base = REAL.load(Ordering::Acquire);
    // SAFETY: SQLite's contract; see the head of the module.
    unsafe {
        (*file).pMethods = ptr::null();
        let path = path_of(name);
        let disk = path.and_then(Disk::of);
        let existed = path.is_some_and(Path::exists);
        if let Some((disk, _)) = &disk
            && disk.is_off()
            && !existed
        {
            return ffi::SQLITE_CANTOPEN;
        }
        let Some(open) = (*base).xOpen else { return ffi::SQLITE_CANTOPEN };
        let real = real(file);
        let code = open(base, name, real, flags, out_flags);
        if code != ffi::SQLITE_OK {
            return code;
        }
        if (*(*real).pMethods).iVersion < 3 {
            of_real!(file, xClose);
            return ffi::SQLITE_CANTOPEN;
        }
        // As in SQLite's own: the names of journals are made durable with their first sync, those of databases are not.
        let journal = ffi::SQLITE_OPEN_WAL | ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_SUPER_JOURNAL;
        let sync_folder = flags & ffi::SQLITE_OPEN_CREATE != 0 && flags & journal != 0;
        (*file.cast::<Handle>()).watched = match disk {
            None => ptr::null_mut(),
            Some((disk, name)) => {
                let image = disk.opened(&name, existed);
                Box::into_raw(Box::new(Watched { disk, image, sync_folder }))
            }
        };
        (*file).pMethods = &METHODS;
        ffi::SQLITE_OK
    }
}

unsafe extern "C" fn delete(_vfs: *mut ffi::sqlite3_vfs, name: *const c_char, sync_folder: c_int) -> c_int {
    let base = REAL.load(Ordering::Acquire);
    // SAFETY: SQLite's contract; see the head of the module.
    unsafe {
        let disk = path_of(name).and_then(Disk::of);
        if disk.as_ref().is_some_and(|(disk, _)| !disk.may_remove()) {
            return ffi::SQLITE_IOERR_DELETE;
        }
        let Some(delete) = (*base).xDelete else { return ffi::SQLITE_IOERR_DELETE };
        let code = delete(base, name, 0);
        if let Some((disk, name)) = disk
            && code == ffi::SQLITE_OK
        {
            disk.removed(&name, sync_folder != 0);
        }
        code
    }
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: see the head of the module.
    unsafe {
        let handle = file.cast::<Handle>();
        let watched = std::mem::replace(&mut (*handle).watched, ptr::null_mut());
        if !watched.is_null() {
            drop(Box::from_raw(watched));
        }
        of_real!(file, xClose)
    }
}

unsafe extern "C" fn read(file: *mut ffi::sqlite3_file, to: *mut c_void, count: c_int, at: i64) -> c_int {
    of_real!(file, xRead, to, count, at)
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    from: *const c_void,
    count: c_int,
    at: i64,
) -> c_int {
    // SAFETY: see the head of the module.
    if let Some(watched) = unsafe { watched(file) } {
        let mut size = 0_i64;
        of_real!(file, xFileSize, &mut size);
        // SAFETY: `from` is valid for `count` bytes.
        let bytes = unsafe { std::slice::from_raw_parts(from.cast::<u8>(), count as usize) };
        let grows = at + i64::from(count) > size;
        match watched.disk.write(watched.image, at as usize, bytes, grows) {
            Verdict::Done => {}
            Verdict::Failed => return ffi::SQLITE_IOERR_WRITE,
            Verdict::Full => return ffi::SQLITE_FULL,
        }
    }
    of_real!(file, xWrite, from, count, at)
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, length: i64) -> c_int {
    // SAFETY: see the head of the module.
    if let Some(watched) = unsafe { watched(file) }
        && watched.disk.set_length(watched.image, length as usize) != Verdict::Done
    {
        return ffi::SQLITE_IOERR_TRUNCATE;
    }
    of_real!(file, xTruncate, length)
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: see the head of the module.
    let Some(watched) = (unsafe { watched(file) }) else { return of_real!(file, xSync, flags) };
    // What the real disk has does not matter here, and this is quicker.
    if watched.disk.sync(watched.image, watched.sync_folder) != Verdict::Done {
        return ffi::SQLITE_IOERR_FSYNC;
    }
    watched.sync_folder = false;
    ffi::SQLITE_OK
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, size: *mut i64) -> c_int {
    of_real!(file, xFileSize, size)
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    of_real!(file, xLock, level)
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    of_real!(file, xUnlock, level)
}

unsafe extern "C" fn check_reserved(file: *mut ffi::sqlite3_file, out: *mut c_int) -> c_int {
    of_real!(file, xCheckReservedLock, out)
}

unsafe extern "C" fn control(file: *mut ffi::sqlite3_file, what: c_int, arg: *mut c_void) -> c_int {
    of_real!(file, xFileControl, what, arg)
}

unsafe extern "C" fn sector_size(file: *mut ffi::sqlite3_file) -> c_int {
    of_real!(file, xSectorSize)
}

unsafe extern "C" fn characteristics(file: *mut ffi::sqlite3_file) -> c_int {
    of_real!(file, xDeviceCharacteristics)
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    page: c_int,
    size: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    of_real!(file, xShmMap, page, size, extend, out)
}

unsafe extern "C" fn shm_lock(file: *mut ffi::sqlite3_file, offset: c_int, n: c_int, flags: c_int) -> c_int {
    of_real!(file, xShmLock, offset, n, flags)
}

unsafe extern "C" fn shm_barrier(file: *mut ffi::sqlite3_file) {
    // SAFETY: see the head of the module.
    unsafe {
        let real = real(file);
        if let Some(barrier) = (*(*real).pMethods).xShmBarrier {
            barrier(real);
        }
    }
}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, delete: c_int) -> c_int {
    of_real!(file, xShmUnmap, delete)
}

unsafe extern "C" fn fetch(
    file: *mut ffi::sqlite3_file,
    at: i64,
    count: c_int,
    out: *mut *mut c_void,
) -> c_int {
    of_real!(file, xFetch, at, count, out)
}

unsafe extern "C" fn unfetch(file: *mut ffi::sqlite3_file, at: i64, page: *mut c_void) -> c_int {
    of_real!(file, xUnfetch, at, page)
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 3,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved),
    xFileControl: Some(control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: Some(fetch),
    xUnfetch: Some(unfetch),
};
