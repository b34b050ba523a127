// Carries the data files inside the binary, so that a static executable needs nothing beside it.
// clang reads #embed at any C standard and records the file as a dependency.
#pragma clang diagnostic ignored "-Wc23-extensions"

#include "CModelData.h"

static const unsigned char model_tables[] = {
#embed "models.txt"
};
static const unsigned char device_times[] = {
#embed "device_times.txt"
};

static const unsigned char device_epyc_1core[] = {
#embed "epyc-1core.json"
};

struct simnet_text simnet_model_tables(void) {
  return (struct simnet_text){model_tables, sizeof model_tables};
}

struct simnet_text simnet_device_times(void) {
  return (struct simnet_text){device_times, sizeof device_times};
}

struct simnet_text simnet_device_epyc_1core(void) {
  return (struct simnet_text){device_epyc_1core, sizeof device_epyc_1core};
}
