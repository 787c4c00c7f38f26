-- A word of a search that few hosts have is found by its trigrams, not by looking at every host.

CREATE VIRTUAL TABLE host_words USING fts5(search, content = 'hosts', content_rowid = 'id', columnsize = 0, tokenize = 'trigram');
INSERT INTO host_words (host_words) VALUES ('rebuild');

CREATE TRIGGER host_words_added AFTER INSERT ON hosts WHEN new.search IS NOT NULL BEGIN
    INSERT INTO host_words (rowid, search) VALUES (new.id, new.search);
END;
-- Most updates of a host leave what it is searched by as it is.
CREATE TRIGGER host_words_changed AFTER UPDATE OF search ON hosts WHEN old.search IS NOT new.search BEGIN
    INSERT INTO host_words (host_words, rowid, search) SELECT 'delete', old.id, old.search WHERE old.search IS NOT NULL;
    INSERT INTO host_words (rowid, search) VALUES (new.id, new.search);
END;
CREATE TRIGGER host_words_removed AFTER DELETE ON hosts WHEN old.search IS NOT NULL BEGIN
    INSERT INTO host_words (host_words, rowid, search) VALUES ('delete', old.id, old.search);
END;
