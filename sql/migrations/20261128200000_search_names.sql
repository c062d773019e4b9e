-- What is found by the beginning of its name: of each kind, which is what the upper bits of an id say, in the order
-- of names. What is called so as a whole comes first.
-- migrate:up
CREATE INDEX search_text_by_name ON search_text (id >> 40, names);

-- migrate:down
DROP INDEX search_text_by_name;
