package main

import (
	"bytes"
	"log"
	"net"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// The streams of a connection: one whose handler keeps the next one's from being called.
const (
	holder = 1
	waiter = 3
)

// client writes frames by hand: a client of gRPC would not give a stream up and begin the next one at once.
type client struct {
	server     *server
	connection net.Conn
	framer     *http2.Framer
	block      bytes.Buffer
	encoder    *hpack.Encoder
	release    chan struct{} // ends the handler that the connection's next stream waits for
	pongs      chan struct{}
}

func (s *server) open() *client {
	connection, err := net.Dial("tcp", s.address)
	check(err)
	c := &client{
		server: s, connection: connection, framer: http2.NewFramer(connection, connection), pongs: make(chan struct{}, 1),
	}
	c.encoder = hpack.NewEncoder(&c.block)
	_, err = connection.Write([]byte(http2.ClientPreface))
	check(err)
	check(c.framer.WriteSettings())
	check(c.framer.WriteSettingsAck())
	go c.listen()
	return c
}

// listen reads what the server answers, so that it is never kept waiting.
func (c *client) listen() {
	for {
		frame, err := c.framer.ReadFrame()
		if err != nil {
			return // It is closed.
		}
		if ping, ok := frame.(*http2.PingFrame); ok && ping.IsAck() {
			c.pongs <- struct{}{}
		}
	}
}

// refused begins a stream that is no call of gRPC. The server answers it before it looks for a handler.
func (c *client) refused() {
	c.headers(waiter, "GET", "Caller", true)
	c.answered()
}

// waiting begins a stream whose headers are read, and whose handler is not called before another one ends.
func (c *client) waiting(method string, caller bool) {
	c.headers(holder, "POST", "Hold", false)
	c.release = <-c.server.holding
	check(c.framer.WriteRSTStream(holder, http2.ErrCodeCancel))
	read := c.server.read.Load()
	c.headers(waiter, "POST", method, caller)
	wait("headers are not read", func() bool { return c.server.read.Load() > read })
}

// handle lets the waiting stream's handler be called, and returns what it says.
func (c *client) handle() string {
	close(c.release)
	return <-c.server.handled
}

func (c *client) close() { check(c.connection.Close()) }

func (c *client) headers(stream uint32, method, path string, caller bool) {
	c.block.Reset()
	field := func(name, value string) { check(c.encoder.WriteField(hpack.HeaderField{Name: name, Value: value})) }
	field(":method", method)
	field(":scheme", "http")
	field(":path", "/Streams/"+path)
	field(":authority", "streams")
	field("content-type", "application/grpc")
	field("te", "trailers")
	if caller {
		field("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	}
	check(c.framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: stream, BlockFragment: c.block.Bytes(), EndStream: true, EndHeaders: true,
	}))
}

// answered waits until the server has handled all that was written: it answers pings in order.
func (c *client) answered() {
	check(c.framer.WritePing(false, [8]byte{1}))
	<-c.pongs
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
