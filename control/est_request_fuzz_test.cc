// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Fuzzes what strangers may send to enrolment: the HTTP body with its base64 and PKCS #10, and the
// client certificate. The first byte selects the way in; the rest is the input, also as DER behind
// a good base64.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "absl/strings/escaping.h"
#include "base/clock.h"
#include "control/device_directory.h"
#include "control/est_handler.h"
#include "control/sha256.h"
#include "control/sqlite_store.h"

namespace fairlead::control {
namespace {

constexpr char kSecret[] = "a-secret-of-sixteen";

// A server with a mass-deployment key, so that a good request is really answered.
struct Server {
  Server() {
    KeyRecord key;
    key.sha256 = Sha256(kSecret);
    key.key.set_name("firstAuthenticationKeys/fuzz");
    key.key.set_type(v1::FirstAuthenticationKey::MASS_DEPLOYMENT);
    if (!store->InsertKey(key).ok()) std::abort();
  }

  FakeClock clock;
  std::unique_ptr<SqliteStore> store = SqliteStore::Open(":memory:").value();
  std::unique_ptr<CertificateAuthority> authority =
      CertificateAuthority::CreateInMemory(clock).value();
  AuditLog audit{*store, clock};
  DeviceDirectory directory{*store, clock};
  StoreEstHandler handler{*store, *authority, directory, audit, clock, nullptr};
};

void CheckAnswer(const v1::EstResponse& response) {
  switch (response.http_status()) {
    case 200:
    case 400:
    case 401:
    case 403:
    case 409:
    case 503:
      break;
    default:
      std::abort();
  }
  if (response.body().empty() || response.content_type().empty()) std::abort();
}

void Fuzz(const std::string& input) {
  static Server& server = *new Server;
  // Keeps the limits of one device and one address out of the way.
  server.clock.Advance(absl::Hours(1));
  const std::string rest = input.substr(1);
  v1::EstRequest request;
  request.set_operation(v1::EstRequest::SIMPLEENROLL);
  request.set_unit_id("00E0C514325B");
  request.set_key(kSecret);
  switch (static_cast<unsigned char>(input[0]) % 5) {
    case 0:
      request.set_body(rest);
      break;
    case 1:
      request.set_body(absl::Base64Escape(rest));
      break;
    case 2:
      request.set_unit_id(rest.substr(0, 80));
      request.set_key(rest);
      break;
    case 3:
      request.set_operation(v1::EstRequest::SIMPLEREENROLL);
      request.set_client_certificate_der(rest);
      break;
    default:
      request.ParseFromString(rest);
  }
  CheckAnswer(server.handler.Handle(request));
}

}  // namespace
}  // namespace fairlead::control

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 0) {
    fairlead::control::Fuzz(std::string(reinterpret_cast<const char*>(data), size));
  }
  return 0;
}
