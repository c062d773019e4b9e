-- What a follower was given: points from given_from on, all of them. Earlier ones may have left recent before
-- it came, or were given up when it was too far behind.
-- migrate:up
ALTER TABLE followers ADD COLUMN given_from INTEGER NOT NULL DEFAULT -9223372036854775808;

-- migrate:down
ALTER TABLE followers DROP COLUMN given_from;
