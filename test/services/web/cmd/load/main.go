// Command load requests lists of one or more web services, of all at the same time, and prints one line of JSON: what came of each.
//
//	load -addresses A,B -duration 2s [-rate N] [-count N]
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// report is what the load of one service came to. Latencies are in microseconds.
type report struct {
	Requests int     `json:"requests"`
	Seconds  float64 `json:"seconds"`
	P50      float64 `json:"p50"`
	P99      float64 `json:"p99"`
	P999     float64 `json:"p999"`
}

func main() {
	addresses := flag.String("addresses", "", "of the services, with commas between them")
	connections := flag.Int("connections", 4, "to each service, used at the same time")
	duration := flag.Duration("duration", time.Second, "how long")
	rate := flag.Float64("rate", 0, "requests per second to each service, evenly; 0: as many as possible")
	count := flag.Int("count", 100, "articles in each list")
	flag.Parse()
	// Its own pauses would count as the services'.
	debug.SetGCPercent(2000)
	services := strings.Split(*addresses, ",")
	reports := make([]report, len(services))
	var under sync.WaitGroup
	for i, address := range services {
		under.Add(1)
		go func() {
			defer under.Done()
			// Requests that are due at the same time would always be served in the same order.
			phase := float64(i) / float64(len(services))
			reports[i] = load(address, *count, *connections, *duration, *rate, phase)
		}()
	}
	under.Wait()
	json.NewEncoder(os.Stdout).Encode(reports)
}

func load(address string, count, connections int, duration time.Duration, rate, phase float64) report {
	// A client that costs little: what it takes of the processors the service does not get.
	client := &fasthttp.HostClient{Addr: address, MaxConns: connections}
	begin := time.Now()
	var turns atomic.Int64
	latencies := make([][]time.Duration, connections)
	var workers sync.WaitGroup
	for i := range connections {
		workers.Add(1)
		go func() {
			defer workers.Done()
			var request fasthttp.Request
			var answer fasthttp.Response
			for {
				turn := turns.Add(1) - 1
				// Latency counts from the time that a request was due, so that waiting for a slow service shows.
				due := time.Now()
				if rate > 0 {
					due = begin.Add(time.Duration((float64(turn) + phase) / rate * float64(time.Second)))
					time.Sleep(time.Until(due))
				}
				if time.Since(begin) >= duration {
					return
				}
				request.SetRequestURI(fmt.Sprintf("http://%s/list?from=%d&count=%d", address, turn*31%20000, count))
				if err := get(client, &request, &answer); err != nil {
					fmt.Fprintln(os.Stderr, "load:", err)
					os.Exit(1)
				}
				latencies[i] = append(latencies[i], time.Since(due))
			}
		}()
	}
	workers.Wait()
	return summary(slices.Concat(latencies...), time.Since(begin))
}

func get(client *fasthttp.HostClient, request *fasthttp.Request, answer *fasthttp.Response) error {
	if err := client.Do(request, answer); err != nil {
		return err
	}
	if status := answer.StatusCode(); status != fasthttp.StatusOK {
		return fmt.Errorf("status %d", status)
	}
	return nil
}

func summary(latencies []time.Duration, took time.Duration) report {
	slices.Sort(latencies)
	at := func(share float64) float64 {
		if len(latencies) == 0 {
			return 0
		}
		return float64(latencies[int(share*float64(len(latencies)-1))].Nanoseconds()) / 1000
	}
	return report{len(latencies), took.Seconds(), at(0.5), at(0.99), at(0.999)}
}
