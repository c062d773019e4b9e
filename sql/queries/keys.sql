-- Lists keys by id, from the one after @after. There are tens of them.
-- name: ListAPIKeys :many
SELECT v.* FROM api_keys_view AS v WHERE v.id > @after ORDER BY v.id LIMIT @lim;

-- Counts what ListAPIKeys would list in all.
-- name: CountAPIKeys :one
SELECT CAST(count(*) AS INTEGER) AS total FROM api_keys_view AS v;

-- Gets one key by its id.
-- name: GetAPIKey :one
SELECT * FROM api_keys_view WHERE id = @id;

-- Finds what a key is good for, and until when, by its hash.
-- name: FindAPIKey :one
SELECT k.key_id, k.scopes, k.expires_at FROM api_keys AS k WHERE k.hash = @hash;

-- Counts the keys that have a scope and are good at a time.
-- name: CountGoodAPIKeys :one
SELECT CAST(count(*) AS INTEGER) AS total FROM api_keys AS k
WHERE EXISTS (SELECT 1 FROM json_each(k.scopes) AS j WHERE j.value = CAST(@scope AS TEXT))
  AND (k.expires_at IS NULL OR k.expires_at > CAST(@at AS TEXT));

-- Stores a key.
-- name: CreateAPIKey :exec
INSERT INTO api_keys (key_id, name, hash, starts_with, scopes, expires_at)
VALUES (@key_id, @name, @hash, @starts_with, @scopes, @expires_at);

-- Notes when a key was last used.
-- name: NoteAPIKeyUse :exec
UPDATE api_keys SET last_used_at = @last_used_at
WHERE key_id = @key_id AND (last_used_at IS NULL OR last_used_at < @last_used_at);

-- Revokes a key. Counts 0 where there is none.
-- name: DeleteAPIKey :execrows
DELETE FROM api_keys WHERE key_id = @key_id;
