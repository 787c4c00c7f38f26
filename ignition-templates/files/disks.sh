#!/bin/bash
# Prints the machine's disks and what is recognised on them, as a claim says it. Only reads.
set -euo pipefail
# shellcheck source=lib.sh
. "${THIRDBOOT_ROOT:-}/usr/local/lib/thirdboot.sh"

columns=NAME,PATH,TYPE,SIZE,RM,RO,SERIAL,WWN,MODEL,FSTYPE,LABEL,PARTLABEL,PTTYPE,MOUNTPOINT
tree=$(lsblk --json --bytes --output "$columns")

# Stable links, {"sda": ["/dev/disk/by-id/…"]}: those named for the model first, WWNs last. Not those named for what the
# disk holds: they go when it is wiped.
links=$(
    for dir in by-id by-path; do
        for link in "$root/dev/disk/$dir"/*; do
            if [[ -L $link && ${link##*/} != lvm-pv-uuid-* ]]; then
                target=$(readlink "$link")
                printf '%s %s\n' "${target##*/}" "/dev/disk/$dir/${link##*/}"
            fi
        done
    done | jq --raw-input --slurp '
        [split("\n")[] | select(. != "") | split(" ") | {name: .[0], link: .[1]}]
        | group_by(.name)
        | map({key: .[0].name, value: map(.link) | sort_by(test("/by-path/"), test("/(wwn-|nvme-eui[.])"))})
        | from_entries'
)

# Every signature on every node, the ambiguous ones too: udev, and so lsblk, is silent about those.
signatures=$(
    jq --raw-output '.. | objects | select(has("path")) | .path' <<<"$tree" | sort -u | while read -r node; do
        # A node that cannot be read counts as holding something.
        found=$(wipefs --no-act --json "$root$node" 2>/dev/null) || found='{"signatures":[{"type":"unreadable"}]}'
        jq --compact-output --arg node "$node" '{key: $node, value: [.signatures[] | {"type": .type, "label": .label}]}' \
            <<<"${found:-"{\"signatures\":[]}"}"
    done | jq --slurp from_entries
)

# The mark that an install leaves on its boot file system, read without mounting: {"host": …, "run": …}.
marks=$(
    jq --raw-output '.. | objects | select(.label? == "boot" and .fstype? == "ext4") | .path' <<<"$tree" |
        while read -r node; do
            mark=$(debugfs -R 'cat /thirdboot/install.json' "$root$node" 2>/dev/null) || mark=
            jq --compact-output --arg node "$node" '
                select((.host | type == "string" and test("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"))
                    and (.run | type == "number" and . >= 1 and . < 4294967296 and floor == .))
                | {key: $node, value: {host, run}}' <<<"$mark" 2>/dev/null || true
        done | jq --slurp from_entries
)

jq --argjson links "$links" --argjson signatures "$signatures" --argjson marks "$marks" '
    {
        "ceph_bluestore": "ceph-bluestore", "LVM2_member": "lvm", "LVM1_member": "lvm", "zfs_member": "zfs",
        "crypto_LUKS": "luks", "btrfs": "btrfs", "xfs": "xfs", "ext2": "ext4", "ext3": "ext4", "ext4": "ext4",
        "vfat": "vfat", "ntfs": "ntfs", "swap": "swap", "lvm": "lvm", "crypt": "luks"
    } as $words
    | ["gpt", "dos", "PMBR"] as $tables
    | ["BIOS-BOOT", "EFI-SYSTEM", "boot", "root", "reserved"] as $own
    | def word: if $words[.] then $words[.] elif test("raid") then "md" else "other" end;
    def below: [.children[]? | ., below[]];
    def types: [.fstype, ($signatures[.path] // [] | .[].type)] | map(select(. and (IN($tables[]) | not)));
    # A protective MBR without its GPT: written for other sectors, so that the kernel sees no partition.
    def hides_table: [($signatures[.path] // [])[].type] | index("PMBR") != null and index("gpt") == null;
    def labels: [.label, ($signatures[.path] // [] | .[].label)];
    [
        .blockdevices[]
        | select(.type == "disk" and .size > 0 and (.name | test("^(zram|ram|nbd|loop|fd)") | not))
        | select([., below[]] | all(.mountpoint != "/run/media/iso"))
        | [below[] | select(.type == "part")] as $parts
        | ([$parts[] | $marks[.path] // empty] | first // null) as $previous
        # Partitions of an earlier install of ours are what the mark vouches for.
        | [below[] | select(($previous != null and .type == "part" and (.partlabel | IN($own[]))) | not)] as $foreign
        | {
            path: ($links[.name][0]? // .path),
            links: ($links[.name][1:]? // []),
            serial: (.serial // null),
            wwn: (.wwn // null),
            model: (.model // null),
            size_bytes: .size,
            removable: (.rm | IN(true, "1")),
            read_only: (.ro | IN(true, "1")),
            previous: $previous,
            holds: (
                [([., $foreign[]] | .[] | types[] | word)]
                + [$foreign[] | select(.type | IN("part", "disk") | not) | .type | word]
                + [([., $foreign[]] | .[] | select(labels | index("boot")) | "boot-label")]
                + [([., $foreign[]] | .[] | select(.mountpoint) | "other")]
                # An empty table holds nothing: a failed install leaves one.
                + [if hides_table or ($foreign | any(.type == "part")) then "partition-table" else empty end]
                | unique
            ),
        }
    ]' <<<"$tree"
