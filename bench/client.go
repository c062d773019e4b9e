package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"
)

// load is what a round did.
type load struct {
	perSecond float64
	cpu       time.Duration // of the server, per request
}

// round sends requests from clients connections for a while. request makes the text of one.
func (b *bench) round(p *process, clients int, request func(*rand.Rand) []byte) (load, error) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var total int
	var failure error
	cpu, begin := p.cpu(), time.Now()
	for i := range clients {
		wg.Go(func() {
			n, err := b.hammer(p.address, rand.New(rand.NewPCG(1, uint64(i))), request)
			mu.Lock()
			defer mu.Unlock()
			total += n
			if err != nil {
				failure = err
			}
		})
	}
	wg.Wait()
	if failure != nil || total == 0 {
		return load{}, fmt.Errorf("%d requests: %w", total, failure)
	}
	return load{
		perSecond: float64(total) / time.Since(begin).Seconds(),
		cpu:       (p.cpu() - cpu) / time.Duration(total),
	}, nil
}

func (b *bench) hammer(address string, r *rand.Rand, request func(*rand.Rand) []byte) (n int, err error) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	answers := bufio.NewReaderSize(c, 64<<10)
	for end := time.Now().Add(b.length); time.Now().Before(end); n++ {
		if _, err := c.Write(request(r)); err != nil {
			return n, err
		}
		if err := skipAnswer(answers); err != nil {
			return n, err
		}
	}
	return n, nil
}

// skipAnswer reads a response with as little work as can be.
func skipAnswer(r *bufio.Reader) error {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return err
	}
	if string(line[9:12]) != "200" {
		return fmt.Errorf("answer: %s", line)
	}
	length := 0
	for len(line) > 2 {
		if line, err = r.ReadSlice('\n'); err != nil {
			return err
		}
		if len(line) > 16 && string(line[:16]) == "Content-Length: " {
			for _, digit := range line[16 : len(line)-2] {
				length = length*10 + int(digit-'0')
			}
		}
	}
	_, err = r.Discard(length)
	return err
}

// post sends one body and waits for the answer.
func post(ctx context.Context, url string, body io.Reader) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, body)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Length", "200")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, text)
	}
	return err
}
