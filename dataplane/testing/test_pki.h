// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Certificates for tests, made in memory: a CA, and leaf certificates of every kind that a test of
// TLS wants, good and bad.
#ifndef FAIRLEAD_DATAPLANE_TESTING_TEST_PKI_H_
#define FAIRLEAD_DATAPLANE_TESTING_TEST_PKI_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "dataplane/tls_context.h"

namespace fairlead::dataplane::testing {

enum class KeyKind { kP256, kRsa2048 };

// What a leaf certificate says; the default is a server on the loopback interface.
struct LeafSpec {
  std::string common_name = "leaf";
  std::vector<std::string> dns_names = {"localhost"};
  std::vector<std::string> ip_addresses = {"127.0.0.1", "::1"};
  std::vector<std::string> uris = {};
  KeyKind key = KeyKind::kP256;
  bool server_auth = true;
  bool client_auth = false;
  // Relative to now.
  absl::Duration not_before = -absl::Hours(1);
  absl::Duration not_after = absl::Hours(24);
  // Whether the chain ends with the CA's certificate.
  bool chain_with_ca = true;
};

// A client certificate with one URI, as devices, servers and ICGs have.
LeafSpec ClientSpec(std::string uri);

// A certificate authority with a P-256 key.
class TestCa {
 public:
  explicit TestCa(std::string common_name = "Test CA");
  ~TestCa();
  TestCa(const TestCa&) = delete;
  TestCa& operator=(const TestCa&) = delete;

  const std::string& pem() const { return pem_; }
  // SHA-256 of the CA's certificate, 64 hexadecimal digits.
  std::string fingerprint() const;
  // The CA's private key, PKCS#8 PEM.
  std::string key_pem() const;

  TlsIdentity Issue(const LeafSpec& spec) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
  std::string pem_;
};

// SHA-256 of the first certificate of a PEM text, 64 hexadecimal digits.
std::string FingerprintOfPem(const std::string& pem);

}  // namespace fairlead::dataplane::testing

#endif  // FAIRLEAD_DATAPLANE_TESTING_TEST_PKI_H_
