// Command streams is a gRPC server, with a client of its own that decides when the server has read a stream's headers and not yet
// called its handler. It obeys the lines of its standard input, and answers each with one of its standard output.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
)

// connections are as many as make it likely that the server's objects get addresses that earlier ones had.
const connections = 32

func main() {
	server := newServer()
	var clients []*client
	all := func(begin func(*client)) {
		for range connections {
			clients = append(clients, server.open())
		}
		for _, client := range clients {
			begin(client)
		}
	}
	input := bufio.NewScanner(os.Stdin)
	for input.Scan() {
		answer := "done"
		switch input.Text() {
		case "refused": // Headers that name a caller are read, and no handler is called.
			all((*client).refused)
			for _, client := range clients {
				client.close()
			}
			clients = nil
			server.forget()
		case "callers": // Each connection has one stream that waits for its handler, and names a caller;
			all(func(c *client) { c.waiting("Caller", true) })
		case "none": // or names none.
			all(func(c *client) { c.waiting("None", false) })
		case "handle": // The handler of one of them is called.
			answer = clients[0].handle()
			clients[0].close()
			clients = clients[1:]
			if len(clients) == 0 {
				server.forget()
				answer += " last"
			}
		}
		fmt.Println(answer)
	}
	runtime.KeepAlive(server)
}
