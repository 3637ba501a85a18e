package main

type couple[A, B any] struct {
	first  A
	second B
}

func generic[T any](x T) stack {
	if any(x) == nil {
		return stack{}
	}
	return inlinedOnce()
}

//go:noinline
func genericOuter[T any](x T) stack { return generic(x) }

func init() {
	extraMaps = append(extraMaps, map[couple[int, string]]int{}, map[string]couple[float64, [3]byte]{}, map[couple[couple[int8, int64], error]]bool{})
	extraStacks = append(extraStacks, func() stack { return genericOuter(couple[int, string]{}) }, func() stack { return generic("x") })
}
