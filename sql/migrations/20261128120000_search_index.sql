-- The index of the search keeps what is asked of it, and no more: no sizes of texts, which only FTS5's own ranking
-- needs, and no index of beginnings of three letters, of which there are few words for each.
-- migrate:up
DROP TABLE search;
CREATE VIRTUAL TABLE search USING fts5(names, ids, more, content='search_text', content_rowid='id', tokenize='ascii', prefix='1 2', columnsize=0);
INSERT INTO search (search) VALUES ('rebuild');

-- migrate:down
DROP TABLE search;
CREATE VIRTUAL TABLE search USING fts5(names, ids, more, content='search_text', content_rowid='id', tokenize='ascii', prefix='1 2 3');
INSERT INTO search (search) VALUES ('rebuild');
