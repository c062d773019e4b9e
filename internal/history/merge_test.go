package history

import (
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
)

// sequenceOf yields rows written as series, time and state, such as "0 1 a", and then err if it is not nil.
func sequenceOf(err error, rows ...string) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for _, text := range rows {
			var row Row
			fmt.Sscan(text, &row.Series, &row.Time, &row.State)
			if !yield(row, nil) {
				return
			}
		}
		if err != nil {
			yield(Row{}, err)
		}
	}
}

func TestMergeRows(t *testing.T) {
	cut, partial := errors.New("cut"), &Partial{Err: errors.New("some")}
	for _, c := range []struct {
		first, second iter.Seq2[Row, error]
		want          string
		err           error
	}{
		{sequenceOf(nil), sequenceOf(nil), "", nil},
		{sequenceOf(nil, "0 1 a", "1 1 b"), sequenceOf(nil), "a b", nil},
		{sequenceOf(nil), sequenceOf(nil, "0 1 a", "1 1 b"), "a b", nil},
		{sequenceOf(nil, "0 1 a", "0 3 c", "2 0 f"), sequenceOf(nil, "0 0 A", "0 3 C", "1 9 D", "3 0 G"), "A a C D f G", nil},
		{sequenceOf(cut, "0 1 a", "0 9 c"), sequenceOf(nil, "0 2 B", "0 10 D"), "a B c", cut},
		{sequenceOf(cut), sequenceOf(nil, "0 2 B"), "", cut},
		{sequenceOf(nil, "0 1 a", "0 9 c"), sequenceOf(cut, "0 2 B"), "a B", cut},
		{sequenceOf(nil, "0 1 a", "0 9 c"), sequenceOf(partial, "0 2 B"), "a B c", partial},
		{sequenceOf(nil), sequenceOf(partial, "0 2 B"), "B", partial},
	} {
		var states []string
		var failure error
		for row, err := range Merge(c.first, c.second) {
			if failure = err; err == nil {
				states = append(states, row.State)
			}
		}
		if got := strings.Join(states, " "); got != c.want || failure != c.err {
			t.Errorf("%s, %v; want %s, %v", got, failure, c.want, c.err)
		}
	}
	for range 2 { // who has read enough ends both
		for row, err := range Merge(sequenceOf(nil, "0 1 a", "0 3 c"), sequenceOf(nil, "0 2 B")) {
			if err != nil || row.State == "c" {
				t.Error(row, err)
			}
			if row.State == "B" {
				break
			}
		}
	}
}
