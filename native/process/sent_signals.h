/*
 * Which signals a process has sent, and which the terminal.
 *
 * Ctrl-C goes to all processes of the terminal's foreground group: a program that was started here has it
 * already. Handed on, it would come twice, which many services take for "quit now". What kill(1) or a
 * container's engine sends comes to this process alone. Only the handler's siginfo_t tells the two apart, and
 * Node does not hand it out.
 */
#ifndef MAPSCOPE_NATIVE_PROCESS_SENT_SIGNALS_H
#define MAPSCOPE_NATIVE_PROCESS_SENT_SIGNALS_H

#include <cstdint>

#include "native/base/failure.h"

namespace mapscope {

/** From now on signals of this kind are counted, before the handler that is there already gets them. */
Status CountSentSignals(int signal);

/** How many a process has sent since the last call; those that the kernel sends for a terminal do not count.
 */
uint32_t TakeSentSignals(int signal);

} // namespace mapscope

#endif
