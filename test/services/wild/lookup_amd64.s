#include "textflag.h"

// func lookup(function, typ, m uintptr, key uint64, back uintptr)
TEXT ·lookup(SB), NOSPLIT|NOFRAME, $0-40
	MOVQ function+0(FP), R12
	MOVQ typ+8(FP), AX
	MOVQ m+16(FP), BX
	MOVQ key+24(FP), CX
	MOVQ back+32(FP), DX
	PUSHQ DX
	JMP R12
