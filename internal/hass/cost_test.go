//go:build unix

package hass

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"dataapi/db"
)

// cpu is the processor time that this process has used.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// tenThousand are entities of 1,000 devices, called so.
func tenThousand(called string) string {
	var list strings.Builder
	for i := range 10000 {
		fmt.Fprintf(&list, `,{"entity_id":"sensor.metric_%d","id":"%032x","platform":"mqtt","unique_id":"%012x_metric","device_id":"%032x",`+
			`"name":null,"original_name":"Metric %d%s","has_entity_name":true,"original_device_class":"temperature",`+
			`"unit_of_measurement":"°C","capabilities":{"state_class":"measurement"},`+
			`"options":{"conversation":{"should_expose":false}},"labels":[],"aliases":[]}`,
			i, i, i, i%1000, i, called)
	}
	return "[" + list.String()[1:] + "]"
}

func BenchmarkEntities(b *testing.B) {
	for name, change := range map[string]bool{"changed": true, "unchanged": false} {
		b.Run(name, func(b *testing.B) {
			d := openNew(b)
			var devices strings.Builder
			for i := range 1000 {
				fmt.Fprintf(&devices, `,{"id":"%032x","name":"Device %d"}`, i, i)
			}
			take(b, d, Devices, "["+devices.String()[1:]+"]")
			take(b, d, Entities, tenThousand(""))
			lists := [][]byte{[]byte(tenThousand(""))}
			if change {
				lists = [][]byte{[]byte(tenThousand(" A")), []byte(tenThousand(" B"))}
			}
			runtime.GC() // what made them is not to be paid for below
			var spent time.Duration
			for i := 0; b.Loop(); i++ {
				list := lists[i%len(lists)]
				before := cpu(b)
				err := d.Write(context.Background(), func(q *db.Queries) error {
					batch, err := ReadBatch(list)
					if err != nil {
						return err
					}
					_, err = Apply(context.Background(), q, Entities, batch, nil)
					return err
				})
				if err != nil {
					b.Fatal(err)
				}
				spent += cpu(b) - before
			}
			b.ReportMetric(float64(spent.Milliseconds())/float64(b.N), "cpu-ms/op")
		})
	}
}
