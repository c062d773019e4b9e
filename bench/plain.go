package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"

	"github.com/gorilla/mux"

	"dataapi/db"
)

// plain starts this program as a service as one would write it without data-api: the same query of the same
// database by database/sql, with the driver's defaults, and encoding/json.
func (b *bench) plain(ctx context.Context, database string) (*process, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return start(ctx, address, exec.CommandContext(ctx, self), "BENCH_PLAIN="+address, "BENCH_DATABASE="+b.folder+"/"+database)
}

func servePlain(address, database string) {
	pool, err := sql.Open("sqlite", "file:"+database+"?mode=ro")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	queries := db.New(pool)
	r := mux.NewRouter()
	r.HandleFunc("/readyz", func(http.ResponseWriter, *http.Request) {})
	r.HandleFunc("/api/v1/devices/{device_id}", func(w http.ResponseWriter, r *http.Request) {
		device, err := queries.GetDevice(r.Context(), mux.Vars(r)["device_id"])
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(device)
	})
	fmt.Fprintln(os.Stderr, http.ListenAndServe(address, r))
}
