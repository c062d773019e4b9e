-- Reads the record that FTS5 has of the parts of the search's index (https://sqlite.org/fts5.html), which it writes anew
-- with each change of the index, with a number that only grows.
SELECT block FROM search_data WHERE id = 10
