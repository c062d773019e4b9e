package db

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// phrases are the words of a text, folded so that what people mean alike is alike: without case and accents. What
// stands together without a space is a phrase: one word, or, in scripts that put no space between words, one for each
// character.
func phrases(text string) (all [][]string) {
	var phrase []string
	var word strings.Builder
	endWord := func() {
		if word.Len() > 0 {
			phrase = append(phrase, word.String())
			word.Reset()
		}
	}
	endPhrase := func() {
		if endWord(); phrase != nil {
			all = append(all, phrase)
			phrase = nil
		}
	}
	for _, c := range unaccented(text) {
		switch {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9': // as nearly all are
			word.WriteRune(c)
		case c >= utf8.RuneSelf && unicode.In(c, dense...):
			endWord()
			phrase = append(phrase, string(c))
		case unicode.IsLetter(c), unicode.IsDigit(c), unicode.Is(unicode.Mc, c):
			word.WriteString(folded(c))
		default:
			endPhrase()
		}
	}
	endPhrase()
	return all
}

// dense are scripts that put no space between words.
var dense = []*unicode.RangeTable{
	unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar,
}

// unaccented takes characters apart, leaves out the accents, and puts together what is left. Bytes that are no
// characters would keep those beside them from being taken apart.
func unaccented(text string) string {
	if isASCII(text) {
		return text
	}
	plain := strings.Map(func(c rune) rune {
		if unicode.Is(unicode.Mn, c) {
			return -1
		}
		return c
	}, norm.NFKD.String(strings.ToValidUTF8(text, "\ufffd")))
	return norm.NFC.String(plain)
}

func isASCII(text string) bool {
	return strings.IndexFunc(text, func(c rune) bool { return c >= utf8.RuneSelf }) < 0
}

// letters are those that Unicode does not take for others with an accent, and how people write them who do not have
// them on their keyboards.
var letters = map[rune]string{
	'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'ł': "l", 'đ': "d", 'ð': "d", 'þ': "th", 'ħ': "h", 'ı': "i", 'ŋ': "n",
	'ŧ': "t", 'ĸ': "k", 'ƒ': "f", 'ȷ': "j", 'ƶ': "z", 'ɨ': "i", 'ʉ': "u", 'ɵ': "o", 'ə': "a", 'ς': "σ",
}

func folded(c rune) string {
	c = unicode.ToLower(c)
	if plain, ok := letters[c]; ok {
		return plain
	}
	return string(c)
}

// foldedLines folds each line of a text to words with one space between two, and leaves out lines without any.
func foldedLines(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		if all := phrases(line); all != nil {
			lines = append(lines, joined(all))
		}
	}
	return strings.Join(lines, "\n")
}

func joined(phrases [][]string) string {
	var all []string
	for _, p := range phrases {
		all = append(all, p...)
	}
	return strings.Join(all, " ")
}

// Search is what to look for: phrases, each of which begins somewhere with a word of what is found.
type Search struct {
	phrases [][]string
	ends    [][]string // for each phrase the words that its last may be the beginning of; nil where that is not known
}

// NewSearch reads what people type. ok is false where there is no letter and no digit in it.
func NewSearch(text string) (s Search, ok bool) {
	s.phrases = phrases(text)
	s.ends = make([][]string, len(s.phrases))
	return s, s.phrases != nil
}

// Match is the FTS5 query for rows that have all phrases, in whatever order. The last word of a phrase may be the
// beginning of one. In quotes nothing is an operator, and words hold no quotes.
func (s Search) Match() string {
	var all []string
	for i, p := range s.phrases {
		all = append(all, anyOf(p, s.ends[i]))
	}
	return strings.Join(all, " AND ")
}

// anyOf is the FTS5 query for a phrase that ends with one of the words, or with one that begins with its last.
func anyOf(phrase, ends []string) string {
	if ends == nil {
		return `"` + strings.Join(phrase, " ") + `" *`
	}
	var all []string
	for _, end := range ends {
		words := append(slices.Clone(phrase[:len(phrase)-1]), end)
		all = append(all, `"`+strings.Join(words, " ")+`"`)
	}
	return "(" + strings.Join(all, " OR ") + ")"
}

func (s Search) text() string { return joined(s.phrases) }
