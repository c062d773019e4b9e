// Package dbtype holds the column types that sqlc cannot name by itself.
package dbtype

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"strconv"
)

// JSON is the text of a JSON value, as a column declared JSON holds it. The empty string stands for
// SQL NULL and encodes as null. It is a string, so that rows compare, and is stored as TEXT: SQLite
// compares a BLOB unequal to any TEXT.
type JSON string

// Scan reads a JSON column. Whatever a foreign writer put there is read: SQLite keeps a number that is
// written to such a column as one, because JSON is no type that it knows.
func (j *JSON) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*j = ""
	case string:
		*j = JSON(v)
	case []byte:
		*j = JSON(v)
	case int64:
		*j = JSON(strconv.FormatInt(v, 10))
	case bool:
		*j = JSON(strconv.FormatBool(v))
	case float64:
		text, err := json.Marshal(v)
		if err != nil {
			text = []byte(`null`) // JSON has no infinity
		}
		*j = JSON(text)
	default:
		return fmt.Errorf("JSON column holds a %T", src)
	}
	return nil
}

// Value gives the text, or NULL.
func (j JSON) Value() (driver.Value, error) {
	if j == "" {
		return nil, nil
	}
	return string(j), nil
}

// MarshalJSON gives the text as it is; encoding/json checks and compacts it.
func (j JSON) MarshalJSON() ([]byte, error) {
	if j == "" {
		return []byte("null"), nil
	}
	return []byte(j), nil
}

// UnmarshalJSON keeps the text of any JSON value; null becomes the empty string.
func (j *JSON) UnmarshalJSON(text []byte) error {
	*j = ""
	if string(text) != "null" {
		*j = JSON(text)
	}
	return nil
}

var _ json.Marshaler = JSON("")
