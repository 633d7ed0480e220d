//! The programs of the control plane, and the Collector: found, or built with Go.
//!
//! In: `tests/control-plane`, `KUBEBUILDER_ASSETS`, `CELEMETRY_COLLECTOR`. Out: paths. What is built lies outside the
//! checkout, in `celemetry/control-plane/HASH` of the user's cache folder, HASH being that of the sources: a clean clone
//! finds it again, an edit of the sources builds anew. Without Go, and nothing there, the test is ignored.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{LazyLock, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::{ignore, root};

/// What a control plane is started from.
#[derive(Clone, Debug)]
pub(crate) struct Binaries {
    pub(crate) etcd: PathBuf,
    pub(crate) kube_apiserver: PathBuf,
    pub(crate) kubectl: PathBuf,
}

/// A Go module of this checkout, and what is built from it.
struct Module {
    /// Below `tests/control-plane`.
    folder: &'static str,
    /// Programs: the name of each, and its package within the module.
    programs: &'static [(&'static str, &'static str)],
    linker_flags: &'static str,
    /// The other way to get the programs, for those without Go.
    instead: &'static str,
}

const CONTROL_PLANE: Module = Module {
    folder: "",
    programs: &[("etcd", "./etcd"), ("kube-apiserver", "./kube-apiserver"), ("kubectl", "./kubectl")],
    // Without a version kubectl fails to parse its own, and the server calls itself v0.0.0.
    linker_flags: "-s -w -X k8s.io/component-base/version.gitVersion=v1.36.3",
    instead: "set KUBEBUILDER_ASSETS to a folder that holds etcd, kube-apiserver and kubectl",
};

const COLLECTOR: Module = Module {
    folder: "collector",
    programs: &[("collector", ".")],
    linker_flags: "-s -w",
    instead: "set CELEMETRY_COLLECTOR to an OpenTelemetry Collector that has otlp, otlp_http and debug",
};

/// How often a build says that it is still going on.
const PROGRESS: Duration = Duration::from_secs(30);

/// Why there is no program.
#[derive(Clone)]
enum Absent {
    /// Nothing to build it with: tests that need it are ignored.
    NoGo(String),
    /// It should be there, and is not: tests that need it fail.
    Broken(String),
}

/// The control plane's programs, built if need be. Ignores the calling test where that cannot be.
///
/// # Panics
///
/// If `KUBEBUILDER_ASSETS` is set and lacks one, or a build fails.
pub(crate) fn control_plane() -> Binaries {
    static FOUND: OnceLock<Result<Binaries, Absent>> = OnceLock::new();
    let found = FOUND.get_or_init(|| {
        let folder = match std::env::var_os("KUBEBUILDER_ASSETS") {
            Some(assets) => complete(&CONTROL_PLANE, PathBuf::from(assets))?,
            None => CONTROL_PLANE.build()?,
        };
        let [etcd, kube_apiserver, kubectl] =
            ["etcd", "kube-apiserver", "kubectl"].map(|name| folder.join(name));
        Ok(Binaries { etcd, kube_apiserver, kubectl })
    });
    or_end(found.clone())
}

/// The Collector, built if need be. Ignores the calling test where that cannot be.
///
/// # Panics
///
/// If `CELEMETRY_COLLECTOR` is set and names no file, or a build fails.
pub(crate) fn collector() -> PathBuf {
    static FOUND: OnceLock<Result<PathBuf, Absent>> = OnceLock::new();
    let found = FOUND.get_or_init(|| match std::env::var_os("CELEMETRY_COLLECTOR").map(PathBuf::from) {
        Some(program) if program.is_file() => Ok(program),
        Some(program) => {
            Err(Absent::Broken(format!("CELEMETRY_COLLECTOR names {}, which is no file", program.display())))
        }
        None => Ok(COLLECTOR.build()?.join("collector")),
    });
    or_end(found.clone())
}

/// When somebody last waited for a build: before that, tests have not had their time.
pub(crate) fn last_build() -> Instant {
    *LAST_BUILD.lock().unwrap_or_else(PoisonError::into_inner)
}

static LAST_BUILD: LazyLock<Mutex<Instant>> = LazyLock::new(|| Mutex::new(Instant::now()));

/// Looks until it finds, and says meanwhile what it waits for.
fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let (began, mut told) = (Instant::now(), Instant::now());
    loop {
        if let Some(found) = look() {
            return found;
        }
        *LAST_BUILD.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        if told.elapsed() >= PROGRESS {
            told = Instant::now();
            say(&format!("{what}: {} s", began.elapsed().as_secs()));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn or_end<T>(found: Result<T, Absent>) -> T {
    match found {
        Ok(found) => found,
        Err(Absent::NoGo(reason)) => ignore(&reason),
        Err(Absent::Broken(reason)) => panic!("{reason}"),
    }
}

fn complete(module: &Module, folder: PathBuf) -> Result<PathBuf, Absent> {
    match module.missing(&folder).first() {
        None => Ok(folder),
        Some((name, _)) => Err(Absent::Broken(format!(
            "KUBEBUILDER_ASSETS names {}, where there is no {name}",
            folder.display()
        ))),
    }
}

#[allow(clippy::print_stderr, reason = "a first build takes minutes, which nobody should wonder about")]
fn say(line: &str) {
    eprintln!("control plane: {line}");
}

/// `$XDG_CACHE_HOME`, or what stands for it.
fn cache() -> PathBuf {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = || set("HOME").map(|home| home.join(".cache"));
    set("XDG_CACHE_HOME").or_else(home).unwrap_or_else(std::env::temp_dir)
}

// === impl Module ===

impl Module {
    fn sources(&self) -> PathBuf {
        root().join("tests/control-plane").join(self.folder)
    }

    /// Programs that `folder` lacks.
    fn missing(&self, folder: &Path) -> Vec<(&'static str, &'static str)> {
        self.programs.iter().copied().filter(|(name, _)| !folder.join(name).is_file()).collect()
    }

    /// FNV-1a over everything that the programs are made from.
    fn hash(&self) -> String {
        let machine = format!("{} {} {}", std::env::consts::OS, std::env::consts::ARCH, self.linker_flags);
        let mains = self.programs.iter().map(|(_, package)| format!("{package}/main.go"));
        let files = ["go.mod".to_owned(), "go.sum".to_owned()].into_iter().chain(mains);
        let bytes = files.flat_map(|file| fs::read(self.sources().join(file)).unwrap());
        let hash = machine.bytes().chain(bytes).fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        format!("{hash:016x}")
    }

    /// The folder that holds all programs, after building those that it lacks.
    fn build(&self) -> Result<PathBuf, Absent> {
        let folder = cache().join("celemetry/control-plane").join(self.hash());
        if self.missing(&folder).is_empty() {
            return Ok(folder);
        }
        if Command::new("go").arg("version").stdout(Stdio::null()).status().is_err() {
            let reason = format!("install Go (https://go.dev/dl), or {}", self.instead);
            say(&format!("tests are ignored, since nothing is cached and there is no Go: {reason}"));
            return Err(Absent::NoGo(reason));
        }
        fs::create_dir_all(&folder).unwrap();
        let lock = File::create(folder.join(".lock")).unwrap();
        wait_for("waiting for another run, which is building", || lock.try_lock().ok());
        for (name, package) in self.missing(&folder) {
            self.build_one(name, package, &folder)?;
        }
        Ok(folder)
    }

    /// Builds beside the final place and moves it there, so that what is found is always whole.
    fn build_one(&self, name: &str, package: &str, folder: &Path) -> Result<(), Absent> {
        let sources = self.sources();
        say(&format!(
            "building {name} with Go from {}; it is kept in {}, so this takes minutes only once",
            sources.display(),
            folder.display()
        ));
        let (unfinished, output) =
            (folder.join(format!(".{name}.unfinished")), folder.join(format!("{name}.log")));
        let began = Instant::now();
        let mut build = Command::new("go")
            .args(["build", "-trimpath", "-buildvcs=false", "-ldflags", self.linker_flags, "-o"])
            .args([unfinished.as_path(), Path::new(package)])
            .current_dir(&sources)
            .env("CGO_ENABLED", "0")
            .env("GOWORK", "off")
            .stdin(Stdio::null())
            .stderr(File::create(&output).unwrap())
            .spawn()
            .unwrap();
        let status = wait_for(&format!("building {name}"), || build.try_wait().unwrap());
        if !status.success() {
            let output = fs::read_to_string(output).unwrap_or_default();
            return Err(Absent::Broken(format!("Go could not build {name}:\n{output}")));
        }
        fs::rename(unfinished, folder.join(name)).unwrap();
        fs::remove_file(output).unwrap();
        say(&format!("built {name} in {} s", began.elapsed().as_secs()));
        Ok(())
    }
}
