//! How long translating takes.

use std::fmt::Write;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use thirdboot_butane::{Options, translate};

/// About 300 lines: 20 files and 15 units, as a host has them.
fn usual() -> String {
    let mut text = String::from("variant: fcos\nversion: 1.5.0\nstorage:\n  files:\n");
    for file in 0..20 {
        let _ = write!(
            text,
            "    - path: /etc/thirdboot/file-{file}.conf
      mode: 0600
      user: {{name: root}}
      contents:
        inline: |
          # File {file}
          [section]
          key = value-{file}
          other = a somewhat longer value, as they are found in such files
"
        );
    }
    text.push_str("systemd:\n  units:\n");
    for unit in 0..15 {
        let _ = write!(
            text,
            "    - name: thirdboot-{unit}.service
      enabled: true
      contents: |
        [Unit]
        Description=Unit {unit}
        [Service]
        ExecStart=/usr/bin/true
        [Install]
        WantedBy=multi-user.target
"
        );
    }
    text
}

/// One file of so many bytes, written inline.
fn large(bytes: usize) -> String {
    let mut text = String::from(
        "variant: fcos\nversion: 1.5.0\nstorage:\n  files:\n    - path: /a\n      contents:\n        inline: |\n",
    );
    let (mut line, mut state) = (0_u32, 1_u32);
    let end = text.len() + bytes;
    while text.len() < end {
        line += 1;
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let _ = writeln!(
            text,
            "          line {line} of a text that can be compressed, {state:08x}, but not to nothing"
        );
    }
    text
}

fn benches(c: &mut Criterion) {
    let usual = usual();
    assert!((300..330).contains(&usual.lines().count()));
    let run = |text: &str| translate(black_box(text.as_bytes()), &Options::default()).map(|(json, _)| json.len());
    c.bench_function("300 lines, 20 files, 15 units", |b| b.iter(|| run(&usual)));
    let mut group = c.benchmark_group("one inline file");
    group.sample_size(20);
    for kib in [256, 1024, 4096] {
        let text = large(kib * 1024);
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_with_input(BenchmarkId::from_parameter(format!("{kib} KiB")), &text, |b, text| {
            b.iter(|| run(text));
        });
    }
    group.finish();
}

criterion_group!(translating, benches);
criterion_main!(translating);
