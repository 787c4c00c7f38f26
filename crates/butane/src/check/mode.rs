//! Modes that someone forgot to write in octal.

/// Whether `mode` is unusual as it stands and usual if its decimal digits are read as octal.
pub(super) fn looks_decimal(mode: i64, directory: bool) -> bool {
    from_digits(mode).is_some_and(|octal| !is_usual(mode, directory) && is_usual(octal, directory))
}

/// Reads the decimal digits of `mode` as octal.
fn from_digits(mode: i64) -> Option<i64> {
    if !(0..=7777).contains(&mode) {
        return None;
    }
    [1000, 100, 10, 1].into_iter().try_fold(0, |octal, divisor| {
        let digit = mode / divisor % 10;
        (digit < 8).then_some(octal * 8 + digit)
    })
}

/// Whether nobody would be surprised by `mode`.
fn is_usual(mode: i64, directory: bool) -> bool {
    const READ: i64 = 4;
    const WRITE: i64 = 2;
    const EXECUTE: i64 = 1;
    if mode == 0 {
        return true;
    }
    // From everybody over the group to the owner, each has what the ones before have.
    let mut had = 0;
    for shift in [0, 3, 6] {
        let bits = mode >> shift & 7;
        let loses = had & !bits != 0;
        let runs_what_others_only_read = bits & EXECUTE != 0 && had & READ != 0 && had & EXECUTE == 0;
        let blind = bits & (WRITE | EXECUTE) != 0 && bits & READ == 0;
        if loses || runs_what_others_only_read || blind {
            return false;
        }
        had |= bits;
    }
    let (setuid, setgid, sticky) = (mode & 0o4000 != 0, mode & 0o2000 != 0, mode & 0o1000 != 0);
    if had & READ == 0 {
        return false;
    }
    if directory {
        had & EXECUTE != 0 && !setuid && (had & WRITE != 0 || !(setgid || sticky))
    } else {
        let special_is_fine = !(setuid || setgid) || (had & EXECUTE != 0 && mode & WRITE == 0);
        special_is_fine && !sticky
    }
}
