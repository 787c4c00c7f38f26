//! A host a line, a field a column. A column's name is the field's path: `labels.rack`, `install.disk`.

use ::csv::{ReaderBuilder, StringRecord, Trim};
use serde_json::{Map, Value};

use super::read::{Mistake, Row};

/// Fields that are lists; in a cell their parts are separated by `;`.
const LISTS: [&str; 10] = [
    "macs",
    "ssh_keys",
    "time_servers",
    "packages",
    "install.console",
    "install.kernel_arguments",
    "network.dns",
    "network.uplink.addresses",
    "network.uplink.gateways",
    "network.bond.ports",
];
/// Fields that are numbers.
const NUMBERS: [&str; 1] = ["network.bond.mtu"];

/// The rows of a table with a header. Empty cells say nothing.
pub(super) fn rows(text: &str) -> Result<Vec<Row>, Vec<Mistake>> {
    let mut reader = ReaderBuilder::new()
        .trim(Trim::All)
        .comment(Some(b'#'))
        .from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| vec![broken(text, &error)])?.clone();
    if let Some(at) = header.iter().position(str::is_empty) {
        return Err(vec![mistake(
            "line 1",
            &format!("column {}", at + 1),
            "expected the name of a field",
        )]);
    }
    if let Some(name) = header
        .iter()
        .enumerate()
        .find_map(|(at, name)| header.iter().take(at).find(|other| *other == name))
    {
        return Err(vec![mistake("line 1", name, "this column is there twice")]);
    }
    let (mut rows, mut mistakes) = (Vec::new(), Vec::new());
    for record in reader.records() {
        match record
            .map_err(|error| broken(text, &error))
            .and_then(|record| row(text, &header, &record))
        {
            Ok(row) => rows.push(row),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    if mistakes.is_empty() { Ok(rows) } else { Err(mistakes) }
}

fn row(text: &str, header: &StringRecord, record: &StringRecord) -> Result<Row, Mistake> {
    let place = place(text, record.position());
    let mut host = Map::new();
    for (path, cell) in header.iter().zip(record).filter(|(_, cell)| !cell.is_empty()) {
        let value = value(path, cell).map_err(|why| mistake(&place, path, &why))?;
        put(&mut host, path, value).map_err(|why| mistake(&place, path, &why))?;
    }
    Ok(Row {
        place,
        value: Value::Object(host),
    })
}

fn value(path: &str, cell: &str) -> Result<Value, String> {
    if cell.starts_with(['[', '{']) {
        return serde_json::from_str(cell).map_err(|error| error.to_string());
    }
    if LISTS.contains(&path) {
        let parts = cell.split(';').map(str::trim).filter(|part| !part.is_empty());
        return Ok(parts.collect::<Vec<_>>().into());
    }
    if NUMBERS.contains(&path) {
        return cell.parse::<u32>().map(Into::into).map_err(|error| error.to_string());
    }
    Ok(cell.into())
}

/// Labels keep their dots: whatever follows `labels.` is one key.
fn put(host: &mut Map<String, Value>, path: &str, value: Value) -> Result<(), String> {
    let Some((first, rest)) = path.split_once('.') else {
        host.insert(path.to_owned(), value);
        return Ok(());
    };
    let inner = host.entry(first).or_insert_with(|| Value::Object(Map::new()));
    let inner = inner
        .as_object_mut()
        .ok_or("a column before this one gave it a value already")?;
    if first == "labels" {
        inner.insert(rest.to_owned(), value);
        return Ok(());
    }
    put(inner, rest, value)
}

fn mistake(place: &str, field: &str, why: &str) -> Mistake {
    Mistake {
        place: place.to_owned(),
        field: field.to_owned(),
        why: why.to_owned(),
    }
}

/// The reader's positions are before the blank lines and comments that it passes over.
fn place(text: &str, position: Option<&::csv::Position>) -> String {
    let mut at = position.map_or(0, |position| usize::try_from(position.byte()).unwrap_or(usize::MAX));
    let passed_over = |line: &&str| line.trim().is_empty() || line.starts_with('#');
    let rest = text.get(at..).unwrap_or_default();
    at += rest
        .split_inclusive('\n')
        .take_while(passed_over)
        .map(str::len)
        .sum::<usize>();
    let before = text.get(..at).unwrap_or(text);
    format!("line {}", before.matches('\n').count() + 1)
}

fn broken(text: &str, error: &::csv::Error) -> Mistake {
    let why = match error.kind() {
        ::csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("{len} cells, expected {expected_len} as in the first line")
        }
        _ => error.to_string(),
    };
    mistake(&place(text, error.position()), "line", &why)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn only(text: &str) -> Value {
        rows(text).unwrap().remove(0).value
    }

    #[test]
    fn a_columns_name_is_a_fields_path() {
        let host = only(
            "name, macs, labels.example.com/rack, network.uplink.method, network.uplink.addresses, network.vlans, network.bond.mtu\n\
             a1, 52:54:00:00:00:01; 52:54:00:00:00:02, r7, static, 192.0.2.1/24,\"[{\"\"id\"\": 7}]\", 9000\n",
        );
        assert_eq!(
            host,
            json!({"name": "a1", "macs": ["52:54:00:00:00:01", "52:54:00:00:00:02"], "labels": {"example.com/rack": "r7"},
                "network": {"uplink": {"method": "static", "addresses": ["192.0.2.1/24"]}, "vlans": [{"id": 7}], "bond": {"mtu": 9000}}})
        );
    }

    #[test]
    fn mistakes_are_named_by_line_and_column() {
        for (text, place, field) in [
            ("name,role\na1\n", "line 2", "line"),
            ("name,,x\n", "line 1", "column 2"),
            ("name,name\n", "line 1", "name"),
            ("name,network\na1,[}\n", "line 2", "network"),
            (
                "name,network.bond.mtu\n\n# rack 7\na1,large\n",
                "line 4",
                "network.bond.mtu",
            ),
            ("name,install,install.disk\na1,x,y\n", "line 2", "install.disk"),
        ] {
            let mistakes = rows(text).unwrap_err();
            assert_eq!(
                (mistakes[0].place.as_str(), mistakes[0].field.as_str()),
                (place, field),
                "{text}"
            );
        }
    }

    #[test]
    fn comments_and_empty_cells_say_nothing() {
        assert_eq!(only("# our rack\nname,serial\na1,\n"), json!({"name": "a1"}));
    }
}
