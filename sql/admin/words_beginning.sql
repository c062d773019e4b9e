-- Lists the words of the search's index that begin with ?1, at most ?2 of them. Each is looked up from the one before,
-- as one word may be in very many rows.
WITH RECURSIVE w (word) AS (
  SELECT (SELECT a.term FROM search_words AS a WHERE a.term >= ?1 ORDER BY a.term LIMIT 1)
  UNION ALL
  SELECT (SELECT b.term FROM search_words AS b WHERE b.term >= w.word || char(1) ORDER BY b.term LIMIT 1)
  FROM w
  WHERE substr(w.word, 1, length(?1)) = ?1
)
SELECT w.word FROM w WHERE substr(w.word, 1, length(?1)) = ?1 LIMIT ?2
