#ifndef SIMNET_PREFETCH_H
#define SIMNET_PREFETCH_H

/* Asks for the cache line at `address`, which will be needed soon. Never faults and changes no
   result; Swift has no such instruction. */
static inline __attribute__((always_inline)) void simnet_prefetch(const void *address) {
  __builtin_prefetch(address);
}

#endif
