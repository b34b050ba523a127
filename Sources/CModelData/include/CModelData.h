#ifndef SIMNET_MODEL_DATA_H
#define SIMNET_MODEL_DATA_H

#include <stddef.h>

/// A text that lives as long as the process.
struct simnet_text {
  const unsigned char *_Nonnull bytes;
  size_t count;
};

/// The parameter tables of models.txt.
struct simnet_text simnet_model_tables(void);

/// The measured and published training times of device_times.txt.
struct simnet_text simnet_device_times(void);

/// The device profile epyc-1core.json, which Tools/profile_device.py measured.
struct simnet_text simnet_device_epyc_1core(void);

#endif
