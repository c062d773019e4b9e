-- The words that are indexed, to be looked up in their order.
-- migrate:up
CREATE VIRTUAL TABLE search_words USING fts5vocab(search, instance);

-- migrate:down
DROP TABLE search_words;
