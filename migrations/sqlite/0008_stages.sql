-- How many hosts are in which stage is asked for by every scrape of the metrics.
CREATE INDEX hosts_stage ON hosts (stage);
