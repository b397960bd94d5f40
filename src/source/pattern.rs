//! Glob patterns: which paths a pattern matches.
//!
//! Must not know what becomes of the paths: whether they are files or folders is looked at later.
//! The syntax is that of the `glob` crate, a path component at a time: `*`, `?`, `[a-z]`, `[!a-z]`,
//! and `**` for any number of folders. As in a shell, a name that begins with a dot is matched only
//! by a dot. The idea: a pattern is a row of steps, and each step turns the paths found so far into
//! those one component longer.
//!
//! The crate's own walk is not used: it drops names that are not UTF-8 (or panics on them), and
//! follows links within `**`. Here a byte that is not UTF-8 counts as one unknown character, links
//! are followed only where they are matched, and what cannot be looked into counts as matched, so
//! that opening it fails with its name: nothing is lost quietly.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use glob::{MatchOptions, Pattern, PatternError};
use walkdir::WalkDir;

const OPTIONS: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// Whether a path could be a pattern.
pub(super) fn is_pattern(path: &OsStr) -> bool {
    path.as_encoded_bytes().iter().any(|byte| b"*?[".contains(byte))
}

/// Whether a name is hidden, as shells have it.
pub(super) fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

/// Whether an error says that there is nothing, rather than that it cannot be looked at.
pub(super) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// All paths that the pattern matches, each once, in no order; none if there are none.
pub(super) fn matches(pattern: &str) -> Result<Vec<PathBuf>, PatternError> {
    let steps = Path::new(pattern).components().map(Step::new).collect::<Result<Vec<_>, _>>()?;
    let only_folders = pattern.ends_with(std::path::is_separator);
    let mut search = Search { found: vec![PathBuf::new()], unreadable: Vec::new() };
    for step in &steps {
        search.take(step);
    }
    search.found.retain(|path| if only_folders { path.is_dir() } else { exists(path) });
    search.found.append(&mut search.unreadable);
    search.found.sort();
    search.found.dedup();
    Ok(search.found)
}

/// One component of a pattern.
enum Step {
    /// Stands for itself.
    Literal(OsString),
    /// Names of one folder.
    Name(Pattern),
    /// `**`: the folder itself and all folders below it.
    Folders,
}

impl Step {
    fn new(component: Component<'_>) -> Result<Step, PatternError> {
        match component {
            Component::Normal(text) if text == "**" => Ok(Step::Folders),
            Component::Normal(text) if is_pattern(text) => {
                Pattern::new(&text.to_string_lossy()).map(Step::Name)
            }
            _ => Ok(Step::Literal(component.as_os_str().to_owned())),
        }
    }
}

struct Search {
    found: Vec<PathBuf>,
    unreadable: Vec<PathBuf>,
}

impl Search {
    fn take(&mut self, step: &Step) {
        for path in std::mem::take(&mut self.found) {
            match step {
                Step::Literal(name) => self.found.push(path.join(name)),
                Step::Name(pattern) => self.names(path, pattern),
                Step::Folders => self.folders(path),
            }
        }
    }

    fn names(&mut self, folder: PathBuf, pattern: &Pattern) {
        let list = || fs::read_dir(or_here(&folder))?.map(|entry| Ok(entry?.file_name())).collect();
        let names: io::Result<Vec<OsString>> = list();
        match names {
            Ok(names) => {
                let fitting = |name: &OsString| pattern.matches_with(&name.to_string_lossy(), OPTIONS);
                self.found.extend(names.into_iter().filter(fitting).map(|name| folder.join(name)));
            }
            Err(error) if is_absent(&error) => {}
            Err(_) => self.unreadable.push(folder),
        }
    }

    fn folders(&mut self, root: PathBuf) {
        let walk = WalkDir::new(or_here(&root)).into_iter();
        for entry in walk.filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry.file_name())) {
            match entry {
                Ok(entry) if entry.depth() == 0 => self.found.push(root.clone()),
                Ok(entry) if entry.file_type().is_dir() => self.found.push(named_below(&root, entry.path())),
                Ok(_) => {}
                Err(error) if error.io_error().is_some_and(is_absent) => {}
                Err(error) => self.unreadable.push(named_below(&root, error.path().unwrap_or(&root))),
            }
        }
    }
}

/// Whether anything has that name, also a broken link, also what must not be looked at.
fn exists(path: &Path) -> bool {
    match fs::symlink_metadata(or_here(path)) {
        Ok(_) => true,
        Err(error) => !is_absent(&error),
    }
}

/// The working folder, where the pattern has not named any.
fn or_here(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}

/// The path as the pattern would have named it: `**` alone begins in a folder without a name.
fn named_below(root: &Path, path: &Path) -> PathBuf {
    match path.strip_prefix(".") {
        Ok(path) if root.as_os_str().is_empty() => path.to_owned(),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes the files, and tells what the pattern matches below their folder.
    fn check(files: &[&str], pattern: &str, expected: &[&str]) {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let found = matches(&format!("{}/{pattern}", folder.path().display())).unwrap();
        let below = |path: &PathBuf| path.strip_prefix(folder.path()).unwrap().to_str().unwrap().to_owned();
        assert_eq!(found.iter().map(below).collect::<Vec<_>>(), expected, "{pattern}");
    }

    const FILES: &[&str] =
        &["a.csv", "b.csv", "c.txt", ".h.csv", "d/a.csv", "d/e/f.csv", ".i/a.csv", "d/.j/k.csv"];

    #[test]
    fn a_star_matches_within_a_component() {
        check(FILES, "*.csv", &["a.csv", "b.csv"]);
        check(FILES, "*/a.csv", &["d/a.csv"]);
        check(FILES, "d*f.csv", &[]);
    }

    #[test]
    fn a_star_matches_folders_too() {
        check(FILES, "*", &["a.csv", "b.csv", "c.txt", "d"]);
    }

    #[test]
    fn a_slash_at_the_end_asks_for_folders() {
        check(FILES, "*/", &["d"]);
    }

    #[test]
    fn questions_and_classes_match_one_character() {
        check(FILES, "?.csv", &["a.csv", "b.csv"]);
        check(FILES, "[b-z].*", &["b.csv", "c.txt"]);
        check(FILES, "[!a].csv", &["b.csv"]);
    }

    #[test]
    fn two_stars_match_any_number_of_folders() {
        check(FILES, "**/*.csv", &["a.csv", "b.csv", "d/a.csv", "d/e/f.csv"]);
        check(FILES, "d/**/e/**/f.csv", &["d/e/f.csv"]);
        check(FILES, "**/**/f.csv", &["d/e/f.csv"]);
        check(FILES, "d/**", &["d", "d/e"]);
    }

    #[test]
    fn hidden_names_are_matched_by_a_dot_only() {
        check(FILES, ".*.csv", &[".h.csv"]);
        check(FILES, ".*/*", &[".i/a.csv"]);
        check(FILES, "**/k.csv", &[]);
        check(FILES, "**/.j/*.csv", &["d/.j/k.csv"]);
    }

    #[test]
    fn a_pattern_may_go_up() {
        check(FILES, "d/e/../*.csv", &["d/e/../a.csv"]);
    }

    #[test]
    fn what_is_not_there_is_not_matched() {
        check(FILES, "nothing/*.csv", &[]);
        check(FILES, "nothing/**/x", &[]);
        check(FILES, "a.csv/*", &[]);
        check(FILES, "*/x.csv", &[]);
    }

    #[test]
    fn a_pattern_without_a_folder_names_files_as_it_would_be_named() {
        // Tests run in the package's folder, whatever that is: it has a manifest and sources.
        assert_eq!(matches("Cargo.t?ml").unwrap(), [PathBuf::from("Cargo.toml")]);
        assert_eq!(matches("./Cargo.t?ml").unwrap(), [PathBuf::from("./Cargo.toml")]);
        assert_eq!(matches("**/Cargo.t?ml").unwrap()[0].as_os_str(), "Cargo.toml");
        assert!(matches("**/*.rs").unwrap().contains(&PathBuf::from("src/lib.rs")));
    }

    #[test]
    fn a_malformed_pattern_is_an_error() {
        assert!(matches("a[").is_err());
        assert!(matches("a**/b").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_where_matched_but_not_by_two_stars() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("real")).unwrap();
        fs::write(folder.path().join("real/x.csv"), "").unwrap();
        std::os::unix::fs::symlink(folder.path(), folder.path().join("link")).unwrap();
        let found = |pattern: &str| matches(&format!("{}/{pattern}", folder.path().display())).unwrap().len();
        assert_eq!(found("link/real/*.csv"), 1);
        assert_eq!(found("*/real/*.csv"), 1);
        assert_eq!(found("**/*.csv"), 1);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_name_that_is_not_utf8_is_matched() {
        use std::os::unix::ffi::OsStrExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(OsStr::from_bytes(b"caf\xE9.csv"));
        fs::write(&path, "").unwrap();
        for pattern in ["*.csv", "caf?.csv", "**/*.csv"] {
            assert_eq!(matches(&format!("{}/{pattern}", folder.path().display())).unwrap(), [&*path]);
        }
    }
}
