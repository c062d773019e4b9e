package history

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// errText refuses what cannot be quoted.
var errText = errors.New("a name must be valid text without control characters")

// influxIdentifier quotes the name of a measurement, as InfluxQL does: a backslash before the quote, and
// before a backslash.
func influxIdentifier(name string) (string, error) {
	if name == "" || !utf8.ValidString(name) || strings.ContainsFunc(name, isControl) {
		return "", errText
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`, nil
}

func isControl(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }

// influxString quotes text as the value of a field. A line break stands in it as it is: written as \n, as newer
// writers do, it comes back from version 1 as these two characters.
func influxString(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(strings.ToValidUTF8(text, "?")) + `"`
}

// influxPattern is a regular expression that matches exactly the words. They hold lower-case letters, digits,
// underscores and dots only: whoever calls has checked them (IsEntityID).
func influxPattern(words []string) string {
	return "/^(?:" + strings.ReplaceAll(strings.Join(words, "|"), ".", `\.`) + ")$/"
}
