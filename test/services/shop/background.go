package main

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	backgroundPause   = 5 * time.Millisecond
	backgroundLookups = 50
)

// exchange is what a goroutine of no request reads again and again.
type exchange struct {
	rates map[uint32]int64
}

func newExchange() *exchange {
	e := &exchange{rates: make(map[uint32]int64)}
	for i := range uint32(2_000) {
		e.rates[i*31] = int64(i)
	}
	return e
}

func (e *exchange) rate(currency uint32) int64 { return e.rates[currency] }

var backgroundSite = newSite("background", "refresh", (*exchange).rate)

// refresh looks rates up outside of all spans until ctx is done, and returns their sum.
func (s *shop) refresh(ctx context.Context) int64 {
	pause := time.NewTicker(backgroundPause)
	defer pause.Stop()
	sum := int64(0)
	for {
		select {
		case <-ctx.Done():
			return sum
		case <-pause.C:
		}
		piece := s.truth.begin(ctx, backgroundSite)
		for range backgroundLookups {
			sum += s.exchange.rate(rand.Uint32N(2_500) * 31)
		}
		piece.end(backgroundLookups)
	}
}
