//! The disk that forgets ([`forgetful.c`](forgetful.c)): built, put under a process, and read after a power cut.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};

/// What a data folder looks like after a power cut, kept beside it.
pub struct Forgetful {
    library: PathBuf,
    root: PathBuf,
    kept: PathBuf,
}

impl Forgetful {
    /// Builds the library in `folder` for the data folder `root`.
    pub fn build(folder: &Path, root: &Path) -> anyhow::Result<Self> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/chaos/forgetful.c");
        let library = folder.join("forgetful.so");
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).args(["-ldl", "-pthread"]);
        let built = compiler.output().context("cc, the C compiler that Rust links with")?;
        ensure!(built.status.success(), "forgetful.c: {}", String::from_utf8_lossy(&built.stderr));
        Ok(Self { library, root: root.to_owned(), kept: folder.join("kept") })
    }

    /// What a process on this disk needs in its environment. Everything that is there now is taken for synced.
    pub fn environment(&self) -> anyhow::Result<[(&'static str, PathBuf); 3]> {
        self.keep_all()?;
        Ok([
            ("LD_PRELOAD", self.library.clone()),
            ("FORGETFUL_ROOT", self.root.clone()),
            ("FORGETFUL_KEPT", self.kept.clone()),
        ])
    }

    fn keep_all(&self) -> anyhow::Result<()> {
        if self.kept.exists() {
            fs::remove_dir_all(&self.kept)?;
        }
        fs::create_dir_all(&self.kept)?;
        fs::create_dir_all(&self.root)?;
        self.keep(&self.root)
    }

    fn keep(&self, folder: &Path) -> anyhow::Result<()> {
        let mut names = String::new();
        for file in fs::read_dir(folder)? {
            let (file, inode) =
                (file.as_ref().map(fs::DirEntry::path), file.as_ref().map(fs::DirEntry::metadata));
            let (Ok(path), Ok(Ok(what))) = (file, inode) else { continue };
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            names += &format!("{} {} {name}\n", what.ino(), if what.is_dir() { 'd' } else { 'f' });
            if what.is_dir() {
                self.keep(&path)?;
            } else {
                fs::copy(&path, self.kept.join(format!("{}.file", what.ino())))?;
            }
        }
        let inode = fs::metadata(folder)?.ino();
        Ok(fs::write(self.kept.join(format!("{inode}.folder")), names)?)
    }

    /// Puts the data folder into the state a power cut leaves. Its process must be dead.
    pub fn cut_power(&self) -> anyhow::Result<()> {
        let after = self.root.with_extension("after-power-cut");
        let inode = fs::metadata(&self.root)?.ino();
        self.restore(inode, &after)?;
        fs::remove_dir_all(&self.root)?;
        fs::rename(&after, &self.root)?;
        // Another cut before the next start finds it as this one left it.
        self.keep_all()
    }

    fn restore(&self, inode: u64, to: &Path) -> anyhow::Result<()> {
        fs::create_dir_all(to)?;
        let names = fs::read_to_string(self.kept.join(format!("{inode}.folder"))).unwrap_or_default();
        for line in names.lines() {
            let mut words = line.splitn(3, ' ');
            let (Some(inode), Some(what), Some(name)) = (words.next(), words.next(), words.next()) else {
                bail!("{line:?} is no line of a folder");
            };
            let path = to.join(name);
            let bytes = self.kept.join(format!("{inode}.file"));
            // Where only a name was synced, what it stands for is there and empty.
            match what {
                "d" => self.restore(inode.parse()?, &path)?,
                _ if bytes.exists() => drop(fs::copy(bytes, path)?),
                _ => fs::write(path, "")?,
            }
        }
        Ok(())
    }
}
