package dbtype

import (
	"encoding/json"
	"math"
	"testing"
)

// A column that is declared JSON may hold whatever SQLite can, and a row with it can be shown.
func TestScanAndShow(t *testing.T) {
	for _, c := range []struct {
		from any
		want string
	}{
		{nil, `null`}, {`["a"]`, `["a"]`}, {[]byte(`{"a":1}`), `{"a":1}`}, {int64(math.MinInt64), `-9223372036854775808`},
		{1.5, `1.5`}, {1e300, `1e+300`}, {math.Inf(1), `null`}, {true, `true`}, {false, `false`},
	} {
		var j JSON
		err := j.Scan(c.from)
		got, encodeErr := json.Marshal(j)
		if err != nil || encodeErr != nil || string(got) != c.want {
			t.Errorf("%v: %s, %v, %v; want %s", c.from, got, err, encodeErr, c.want)
		}
	}
	var j JSON
	if err := j.Scan(t); err == nil {
		t.Error("scanned a *testing.T")
	}
}
