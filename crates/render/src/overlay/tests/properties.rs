//! What holds for any value of a fact, and any two hosts.

use proptest::prelude::*;

use super::*;

/// The document without the contents of its strings; `gzip` is one, and stands where that is shorter.
fn shape(config: &Config) -> String {
    fn blank(value: &mut serde_json::Value) {
        match value {
            serde_json::Value::String(text) => text.clear(),
            serde_json::Value::Array(items) => items.iter_mut().for_each(blank),
            serde_json::Value::Object(map) => map.values_mut().for_each(blank),
            _ => {}
        }
    }
    let mut value = serde_json::to_value(config).unwrap();
    blank(&mut value);
    value.to_string()
}

const EVERYWHERE: &str = r#"variant: fcos
version: 1.5.0
passwd:
  users:
    - name: deploy
      gecos: "{{ host.labels.x }}"
storage:
  files:
    - path: /etc/a
      contents:
        inline: '{{ host.labels.x }}'
    - path: /etc/b
      contents:
        inline: |
          before
          {{ host.labels.x }}
          {% for label in host.labels %}{{ label }}={{ host.labels[label] }}
          {% endfor %}
systemd:
  units:
    - name: mine.service
      enabled: true
      contents: |
        [Service]
        Environment={{ host.labels.x }}
        ExecStart=/bin/true
        [Install]
        WantedBy=multi-user.target
"#;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever a fact says, the document has the parts that its template has, and the fact stands in it as it is.
    #[test]
    fn no_value_of_a_fact_changes_the_structure(value in prop_oneof![
        ".*",
        "[\\n\\r\\t :{}%#\\[\\],'\"|>&*!-]{0,40}",
        "(\\{\\{|\\}\\}|\\{%|%\\}|\n    - path: /etc/shadow\n|<<: \\*a|!!null|[a-z ]){0,12}",
    ]) {
        let mut host = rack();
        let template = Template::parse("t", EVERYWHERE).unwrap();
        host.labels.insert("x".to_owned(), "plain".to_owned());
        let plain = template.render(&host).unwrap();
        host.labels.insert("x".to_owned(), value.clone());
        // A NUL in a unit or a broken unit's line may be refused; then nothing is rendered at all.
        if let Ok(config) = template.render(&host) {
            prop_assert_eq!(shape(&config), shape(&plain));
            prop_assert_eq!(content(&config, "/etc/a"), value);
        }
    }

    /// What two hosts are seen alike by, they are served alike.
    #[test]
    fn hosts_that_are_seen_alike_are_rendered_alike(
        name in "[a-c]", rack in "[a-c]", other in "[a-c]", vlan in 2u16..4,
        text in prop::sample::select(vec![
            "{{ host.name }}", "{{ host.name[:1] }}", "{{ host.labels.rack }}", "{{ host.labels['rack'] }}", "{% set h = host %}{{ h.labels.other }}",
            "{{ host|tojson }}", "{% for v in host.network.vlans %}{{ v.id }}{% endfor %}", "fixed", "{{ host.labels.none|default(host.name) }}",
            "{{ [host]|map(attribute='name')|join }}", "{{ (host).name }}",
        ]),
    ) {
        let template = template(&file("/etc/a", &format!("\"{text}\"")));
        let templates = [&template];
        let host = |name: &str, rack: &str, other: &str, vlan: u16| {
            let mut host = samples::with_network(&format!(r#"{{"vlans":[{{"id":{vlan},"addresses":["10.0.0.1/24"]}}]}}"#));
            host.name = name.parse().unwrap();
            host.labels = [("rack".to_owned(), rack.to_owned()), ("other".to_owned(), other.to_owned())].into();
            host
        };
        let (one, two) = (host("a", "a", "a", 2), host(&name, &rack, &other, vlan));
        if Overlay(&templates).sight(&one) == Overlay(&templates).sight(&two) {
            prop_assert_eq!(template.render(&one).unwrap(), template.render(&two).unwrap());
        }
    }
}
