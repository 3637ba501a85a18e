package main

import (
	"context"
	"math/rand/v2"
	"sync"
)

const (
	cartUsers   = 2_000
	cartFilled  = 6
	cartLookups = 20
)

// cartLine is a key of more than one part: which articles a customer has put into the cart.
type cartLine struct {
	user uint32
	sku  string
}

// carts is a map that grows while it is read.
type carts struct {
	mutex      sync.RWMutex
	quantities map[cartLine]int64
}

func newCarts(c *catalog) *carts {
	carts := &carts{quantities: make(map[cartLine]int64)}
	for user := range uint32(cartUsers) {
		for i := range uint32(cartFilled) {
			carts.quantities[cartLine{user, c.asked[user+i]}] = 1
		}
	}
	return carts
}

func (c *carts) quantity(line cartLine) int64 { return c.quantities[line] }

var cartSite = newSite("/cart", "quantities", (*carts).quantity)

// cart is the endpoint /cart: how many of some articles a customer has in the cart; then there is one more.
func (s *shop) cart(ctx context.Context) int64 {
	user := uint32(rand.IntN(cartUsers))
	sum := int64(0)
	s.carts.mutex.RLock()
	piece := s.truth.begin(ctx, cartSite)
	for i := range uint32(cartLookups) {
		sum += s.carts.quantity(cartLine{user, s.catalog.asked[user+i]})
	}
	piece.end(cartLookups)
	s.carts.mutex.RUnlock()

	added := cartLine{user, s.catalog.asked[user+uint32(rand.IntN(cartLookups))]}
	s.carts.mutex.Lock()
	s.carts.quantities[added] = sum%9 + 1
	s.carts.mutex.Unlock()
	return sum
}
