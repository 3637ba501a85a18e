// Command web is a plain HTTP service whose requests look things up in maps, for the benchmark. It prints where it is, as in
// "ready 127.0.0.1:40123". Its load is another program (cmd/load), for probes are in a file, and both would have them.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
)

const (
	articles      = 20000
	mostPerAnswer = 1000
)

type place struct {
	shelf string
	row   int
}

var (
	prices = map[string]int{}
	stock  = map[uint64]int{}
	places = map[place]string{}
	names  [2 * articles]string
)

func main() {
	for i := range names {
		names[i] = "article-" + strconv.Itoa(i)
	}
	for i := range articles {
		prices[names[i]] = i
		stock[uint64(i)*2654435761] = i % 7
		places[place{names[i%50], i}] = names[i]
	}
	http.HandleFunc("/list", list)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, "web:", err)
		os.Exit(1)
	}
	fmt.Println("ready", listener.Addr())
	fmt.Fprintln(os.Stderr, "web:", http.Serve(listener, nil))
	os.Exit(1)
}

// list answers with some articles: three lookups each, one in five of them in vain.
func list(w http.ResponseWriter, r *http.Request) {
	from, err := strconv.Atoi(r.FormValue("from"))
	if err != nil || from < 0 {
		http.Error(w, "from is no number", http.StatusBadRequest)
		return
	}
	count, err := strconv.Atoi(r.FormValue("count"))
	if err != nil || count < 0 || count > mostPerAnswer {
		http.Error(w, "count is no number up to "+strconv.Itoa(mostPerAnswer), http.StatusBadRequest)
		return
	}
	answer := make([]byte, 0, 32*count)
	for i := range count {
		at := (from + i*197) % (articles + articles/4)
		price, known := prices[names[at]]
		if !known {
			continue
		}
		answer = append(answer, places[place{names[at%50], at}]...)
		answer = append(answer, ' ')
		answer = strconv.AppendInt(answer, int64(price), 10)
		answer = append(answer, ' ')
		answer = strconv.AppendInt(answer, int64(stock[uint64(at)*2654435761]), 10)
		answer = append(answer, '\n')
	}
	w.Write(answer)
}
