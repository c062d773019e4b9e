package db

import (
	"context"
	"database/sql"

	datasql "dataapi/sql"
)

// Verified is a database file that was found to be whole.
type Verified struct {
	Kind   datasql.Kind
	Schema string // newest migration, "" of the service before this one
}

// Verify reads all of a database file that nobody has open: every page, every reference, the schema. The error is
// ErrUnavailable, with Corrupt, Foreign or Newer.
func Verify(ctx context.Context, path string) (v Verified, err error) {
	pool := newPool(rawConnector(fileURI(path)+"?mode=ro&immutable=1"), 1)
	defer pool.Close()
	c, err := pool.Conn(ctx)
	if err != nil {
		return v, damaged(err)
	}
	defer c.Close()
	s, err := identifySchema(ctx, c, &v)
	if err != nil {
		return v, damaged(err)
	}
	if len(s.applied) > 0 {
		v.Schema = s.applied[len(s.applied)-1]
	}
	return v, damaged(checkAll(ctx, c))
}

// damaged says of a copy that is damaged just that: what to do about a database that is served is none of it.
func damaged(err error) error {
	if reasonOf(err) == Corrupt {
		return unavailable(Corrupt, err, "it is damaged, or no database")
	}
	return Classify(err)
}

// identifySchema finds out which kind of file it is.
func identifySchema(ctx context.Context, c *sql.Conn, v *Verified) (s schema, err error) {
	for _, v.Kind = range []datasql.Kind{datasql.OfMetadata, datasql.OfHistory, datasql.OfDeliveries} {
		s, err = inspect(ctx, c, v.Kind)
		if err == nil && s.empty {
			return s, unavailable(Foreign, nil, "the file is an empty database")
		}
		if reasonOf(err) != Foreign {
			return s, err
		}
	}
	return s, err
}

func checkAll(ctx context.Context, c *sql.Conn) error {
	var result string
	if err := c.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&result); err != nil {
		return err
	}
	if result != "ok" {
		return unavailable(Corrupt, nil, "%s", result)
	}
	var broken int
	if err := c.QueryRowContext(ctx, datasql.Admin("foreign_key_violations")).Scan(&broken); err != nil {
		return err
	}
	if broken > 0 {
		return unavailable(Corrupt, nil, "%d rows refer to nothing", broken)
	}
	return nil
}
