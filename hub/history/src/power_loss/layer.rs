//! A layer of SQLite's files that forgets what was not synced.
//!
//! The files on the real disk are what the operating system shows to programs: its page cache. Beside each the layer
//! keeps what a disk would have of it: the content at its last sync and the writes since. When the power goes
//! ([`Disk::boot`]) the next machine finds, of every file, the synced content and none, all, the first or any of the
//! later writes, torn at a sector; of every name made or removed since its folder was synced, either state.
//!
//! Everything is decided by a seed. Files outside a watched folder pass through untouched.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a disk writes as a whole.
const SECTOR_BYTES: usize = 512;

/// SplitMix64: a seed, numbers, no dependency.
#[derive(Clone, Debug)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.roll() % n.max(1)
    }

    /// True once in `n` rolls; never for 0.
    pub(crate) fn once_in(&mut self, n: u64) -> bool {
        n > 0 && self.below(n) == 0
    }
}

/// How a disk misbehaves before the power goes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    /// A write fails once in so many; 0: never.
    pub(crate) write_once_in: u64,
    /// A sync fails once in so many, and forgets half of what it should have kept, as Linux does.
    pub(crate) sync_once_in: u64,
    /// No file may grow.
    pub(crate) full: bool,
    /// Syncs say yes and do nothing: as `synchronous = OFF`, or a disk that lies.
    pub(crate) lies: bool,
}

/// What one operation came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Done,
    Failed,
    Full,
}

#[derive(Debug)]
enum Change {
    Write(usize, Vec<u8>),
    Length(usize),
}

/// A file as the disk has it.
#[derive(Debug, Default)]
struct Image {
    synced: Vec<u8>,
    since: Vec<Change>,
}

#[derive(Debug)]
struct State {
    root: PathBuf,
    images: Vec<Image>,
    /// The names as programs see them, and as the disk has them.
    names: BTreeMap<String, usize>,
    synced_names: BTreeMap<String, usize>,
    faults: Faults,
    dice: Dice,
    /// Operations that change something.
    operations: u64,
    power_goes_at: u64,
    off: bool,
}

/// A watched folder.
#[derive(Clone, Debug)]
pub(crate) struct Disk(Arc<Mutex<State>>);

/// All watched folders of the process.
static DISKS: Mutex<Vec<Disk>> = Mutex::new(Vec::new());

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Disk {
    /// Watches a folder, whose files are taken as synced.
    pub(crate) fn watch(root: &Path, seed: u64) -> Disk {
        super::vfs::install();
        let root = root.canonicalize().unwrap();
        let mut state = State {
            root: root.clone(),
            images: Vec::new(),
            names: BTreeMap::new(),
            synced_names: BTreeMap::new(),
            faults: Faults::default(),
            dice: Dice(seed),
            operations: 0,
            power_goes_at: u64::MAX,
            off: false,
        };
        for entry in std::fs::read_dir(&root).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            if entry.file_type().unwrap().is_file() {
                state.images.push(Image { synced: std::fs::read(entry.path()).unwrap(), since: vec![] });
                state.names.insert(name, state.images.len() - 1);
            }
        }
        state.synced_names = state.names.clone();
        let disk = Disk(Arc::new(Mutex::new(state)));
        held(&DISKS).push(disk.clone());
        disk
    }

    /// The disk that a path lies on, and the path's name there.
    pub(crate) fn of(path: &Path) -> Option<(Disk, String)> {
        let disks = held(&DISKS);
        disks.iter().rev().find_map(|disk| {
            let name = path.strip_prefix(&held(&disk.0).root).ok()?.to_str()?.to_owned();
            (!name.is_empty() && !name.contains('/')).then(|| (disk.clone(), name))
        })
    }

    /// No longer watches it.
    pub(crate) fn forget(&self) {
        held(&DISKS).retain(|other| !Arc::ptr_eq(&other.0, &self.0));
    }

    /// Sets the faults; gives those before.
    pub(crate) fn set_faults(&self, faults: Faults) -> Faults {
        std::mem::replace(&mut held(&self.0).faults, faults)
    }

    /// The power goes at the `n`th operation from now.
    pub(crate) fn power_goes_in(&self, n: u64) {
        let mut state = held(&self.0);
        state.power_goes_at = state.operations + n;
    }

    pub(crate) fn operations(&self) -> u64 {
        held(&self.0).operations
    }

    pub(crate) fn is_off(&self) -> bool {
        held(&self.0).off
    }

    /// The power goes now.
    pub(crate) fn cut(&self) {
        held(&self.0).off();
    }

    /// A file that was opened: its image.
    pub(crate) fn opened(&self, name: &str, existed: bool) -> usize {
        let mut state = held(&self.0);
        match state.names.get(name) {
            Some(&image) if existed => image,
            _ => {
                // Of a file that came about past this layer the disk is not known to have anything.
                let mut image = Image::default();
                if existed {
                    let content = std::fs::read(state.root.join(name)).unwrap_or_default();
                    image.since.push(Change::Write(0, content));
                }
                state.images.push(image);
                let image = state.images.len() - 1;
                state.names.insert(name.to_owned(), image);
                image
            }
        }
    }

    pub(crate) fn write(&self, image: usize, at: usize, bytes: &[u8], grows: bool) -> Verdict {
        let mut state = held(&self.0);
        let once_in = state.faults.write_once_in;
        if !state.goes_on() || state.dice.once_in(once_in) {
            return Verdict::Failed;
        }
        if grows && state.faults.full {
            return Verdict::Full;
        }
        state.images[image].since.push(Change::Write(at, bytes.to_vec()));
        Verdict::Done
    }

    pub(crate) fn set_length(&self, image: usize, length: usize) -> Verdict {
        let mut state = held(&self.0);
        if !state.goes_on() {
            return Verdict::Failed;
        }
        state.images[image].since.push(Change::Length(length));
        Verdict::Done
    }

    /// Syncs a file, and its folder where asked to.
    pub(crate) fn sync(&self, image: usize, folder: bool) -> Verdict {
        let mut state = held(&self.0);
        if !state.goes_on() {
            return Verdict::Failed;
        }
        if state.faults.lies {
            return Verdict::Done;
        }
        let once_in = state.faults.sync_once_in;
        if state.dice.once_in(once_in) {
            // The pages count as clean from now on, whether they came to the disk or not.
            let since = std::mem::take(&mut state.images[image].since);
            for change in since {
                if state.dice.once_in(2) {
                    apply(&mut state.images[image].synced, &change);
                }
            }
            return Verdict::Failed;
        }
        let image = &mut state.images[image];
        for change in std::mem::take(&mut image.since) {
            apply(&mut image.synced, &change);
        }
        if folder {
            state.sync_names();
        }
        Verdict::Done
    }

    /// Whether a name may be removed now.
    pub(crate) fn may_remove(&self) -> bool {
        held(&self.0).goes_on()
    }

    pub(crate) fn removed(&self, name: &str, sync_folder: bool) {
        let mut state = held(&self.0);
        state.names.remove(name);
        if sync_folder && !state.faults.lies {
            state.sync_names();
        }
    }

    /// Writes what the next machine finds into a new folder.
    pub(crate) fn boot(&self, into: &Path) {
        let mut state = held(&self.0);
        state.off();
        std::fs::create_dir_all(into).unwrap();
        let names: BTreeSet<String> = state.names.keys().chain(state.synced_names.keys()).cloned().collect();
        for name in names {
            let (now, then) = (state.names.get(&name).copied(), state.synced_names.get(&name).copied());
            let found = if now == then || state.dice.once_in(2) { now } else { then };
            let Some(image) = found else { continue };
            let content = state.content_after_loss(image);
            std::fs::write(into.join(&name), content).unwrap();
        }
        // Shared memory is a file like others, which nobody syncs: the next machine may find anything in it.
        for entry in std::fs::read_dir(&state.root).unwrap() {
            let entry = entry.unwrap();
            if entry.file_name().to_string_lossy().ends_with("-shm") && state.dice.once_in(2) {
                std::fs::copy(entry.path(), into.join(entry.file_name())).unwrap();
            }
        }
    }
}

impl State {
    /// Counts an operation; false where there is no power for it.
    fn goes_on(&mut self) -> bool {
        self.operations += 1;
        if self.operations >= self.power_goes_at {
            self.off();
        }
        !self.off
    }

    fn off(&mut self) {
        if !self.off {
            self.notice_what_went_past();
            self.off = true;
        }
    }

    /// Removals by others than SQLite are seen by what is no longer there.
    fn notice_what_went_past(&mut self) {
        let root = self.root.clone();
        self.names.retain(|name, _| root.join(name).exists());
    }

    fn sync_names(&mut self) {
        if !self.off {
            self.notice_what_went_past();
            self.synced_names = self.names.clone();
        }
    }

    fn content_after_loss(&mut self, image: usize) -> Vec<u8> {
        let manner = self.dice.below(4);
        let Self { images, dice, .. } = self;
        let image = &images[image];
        let mut content = image.synced.clone();
        let first = dice.below(image.since.len() as u64 + 1) as usize;
        for (i, change) in image.since.iter().enumerate() {
            let kept = match manner {
                0 => false,
                1 => true,
                2 => i < first,
                _ => dice.once_in(2),
            };
            let torn = manner >= 2 && (i == first || dice.once_in(8));
            match change {
                Change::Write(at, bytes) if torn => {
                    // Any of its sectors, by the disk's own choice of order.
                    let mut from = 0;
                    while from < bytes.len() {
                        let to = bytes.len().min(from + SECTOR_BYTES - (at + from) % SECTOR_BYTES);
                        if dice.once_in(2) {
                            apply(&mut content, &Change::Write(at + from, bytes[from..to].to_vec()));
                        }
                        from = to;
                    }
                }
                change if kept => apply(&mut content, change),
                _ => {}
            }
        }
        content
    }
}

fn apply(content: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Length(length) => content.resize(*length, 0),
        Change::Write(at, bytes) => {
            if content.len() < at + bytes.len() {
                content.resize(at + bytes.len(), 0);
            }
            content[*at..at + bytes.len()].copy_from_slice(bytes);
        }
    }
}

/// Called where this crate removes a file by itself.
pub(crate) fn before_removal(path: &Path) -> crate::Result<()> {
    match Disk::of(path) {
        Some((disk, _)) if !disk.may_remove() => {
            let source = std::io::Error::other("the power is off");
            Err(crate::HistoryError::Io { what: "deleting", path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}

/// Called where this crate syncs a folder by itself.
pub(crate) fn folder_synced(folder: &Path) {
    let Ok(folder) = folder.canonicalize() else { return };
    for disk in held(&DISKS).iter() {
        let mut state = held(&disk.0);
        if state.root == folder && !state.faults.lies {
            state.sync_names();
        }
    }
}
