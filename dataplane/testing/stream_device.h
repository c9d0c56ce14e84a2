// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A device that is reached by a TLS stream without a WebSocket (OS 11 direct), over a real
// connection. Used by the tests of what dials such a device.
#ifndef FAIRLEAD_DATAPLANE_TESTING_STREAM_DEVICE_H_
#define FAIRLEAD_DATAPLANE_TESTING_STREAM_DEVICE_H_

#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "dataplane/asio.h"
#include "dataplane/testing/test_pki.h"
#include "dataplane/tls_stream.h"

namespace fairlead::dataplane::testing {

// `size` bytes of every value, in an order that repeats late.
std::string ManyBytes(std::size_t size);

// Reads the option of a socket; -1 with a failed expectation if that cannot be done.
int SocketOption(int descriptor, int level, int name);

// All that a device has read until the end, and how that came.
struct DeviceView {
  std::string bytes;
  error_code end;
};

// Thread: the context's. Lifetime: what its coroutines are of.
class StreamDevice {
 public:
  // Accepts a connection and shakes hands; a failure is one of the test. `context` outlives it.
  explicit StreamDevice(net::io_context& context);

  // The other end, and its descriptor.
  std::unique_ptr<TlsStream> TakeClient() { return std::move(client_); }
  int client_descriptor() const { return client_descriptor_; }
  TlsStream& stream() { return *stream_; }

  // Reads to the end; the latter closes then.
  net::awaitable<DeviceView> Read();
  net::awaitable<DeviceView> ReadAndClose();
  // False if the connection fails first. The latter says its end then, and does not close.
  net::awaitable<bool> Write(std::string bytes);
  net::awaitable<bool> WriteAndEnd(std::string bytes);
  // Resets the connection.
  void Reset();

 private:
  TestCa ca_;
  std::unique_ptr<TlsStream> stream_;
  std::unique_ptr<TlsStream> client_;
  int client_descriptor_ = -1;
};

}  // namespace fairlead::dataplane::testing

#endif  // FAIRLEAD_DATAPLANE_TESTING_STREAM_DEVICE_H_
