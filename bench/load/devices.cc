// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Simulated devices on a hub: each connects with a certificate of its own, says hello as the
// Unified Protocol has it, waits for the welcome, and then sends a heartbeat now and then.
#include <openssl/ec_key.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bench/load/figures.h"
#include "bench/load/modes.h"

namespace fairlead::bench {
namespace {

constexpr double kOpenTimeout = 900;
// DeviceMessage.hello: protocol version 1, agent "bench", OS_12.
constexpr char kHello[] =
    "\x0a\x0b\x08\x01\x12\x05"
    "bench"
    "\x18\x01";
// DeviceMessage.heartbeat, empty.
constexpr char kHeartbeat[] = "\x2a\x00";

[[noreturn]] void Die(const std::string& what) {
  std::fprintf(stderr, "load: %s\n", what.c_str());
  std::exit(1);
}

bssl::UniquePtr<BIO> OpenFile(const std::string& path) {
  bssl::UniquePtr<BIO> bio(BIO_new_file(path.c_str(), "r"));
  if (bio == nullptr) Die(absl::StrCat("cannot read ", path));
  return bio;
}

void AddExtension(X509* certificate, int nid, std::string value) {
  X509_EXTENSION* extension = X509V3_EXT_nconf_nid(nullptr, nullptr, nid, &value[0]);
  if (extension == nullptr) Die(absl::StrCat("cannot make the extension ", value));
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

// Issues the devices' certificates; all devices share one key, which spares only the generator.
class Issuer {
 public:
  Issuer(const std::string& ca_file, const std::string& key_file)
      : ca_(PEM_read_bio_X509(OpenFile(ca_file).get(), nullptr, nullptr, nullptr)),
        ca_key_(PEM_read_bio_PrivateKey(OpenFile(key_file).get(), nullptr, nullptr, nullptr)),
        key_(EVP_PKEY_new()) {
    if (ca_ == nullptr || ca_key_ == nullptr) Die("cannot read the devices' CA");
    EC_KEY* ec = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
    EC_KEY_generate_key(ec);
    EVP_PKEY_assign_EC_KEY(key_.get(), ec);
  }

  EVP_PKEY* key() { return key_.get(); }

  bssl::UniquePtr<X509> Issue(const std::string& unit_id, int serial) {
    bssl::UniquePtr<X509> made(X509_new());
    X509_set_version(made.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), serial);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), 24 * 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(unit_id.c_str()), -1, -1, 0);
    X509_set_issuer_name(made.get(), X509_get_subject_name(ca_.get()));
    X509_set_pubkey(made.get(), key_.get());
    AddExtension(made.get(), NID_subject_alt_name,
                 absl::StrCat("URI:urn:fairlead:device:", unit_id));
    AddExtension(made.get(), NID_ext_key_usage, "clientAuth");
    AddExtension(made.get(), NID_key_usage, "digitalSignature");
    X509_sign(made.get(), ca_key_.get(), EVP_sha256());
    return made;
  }

 private:
  bssl::UniquePtr<X509> ca_;
  bssl::UniquePtr<EVP_PKEY> ca_key_;
  bssl::UniquePtr<EVP_PKEY> key_;
};

class Devices : public Leg::Handler {
 public:
  Devices(EventLoop& loop, const DeviceOptions& devices, const RunOptions& options)
      : loop_(loop),
        devices_(devices),
        options_(options),
        issuer_(devices.ca_file, devices.ca_key_file),
        context_(MakeClientContext(devices.server_ca_file)) {}

  double OpenAll() {
    const std::int64_t begin = NowNs();
    OpenMore();
    const auto done = [this] {
      return opening_ == 0 && static_cast<int>(legs_.size()) == options_.sessions;
    };
    if (!loop_.RunUntil(done, kOpenTimeout)) Fail("the devices were not connected in time");
    return static_cast<double>(NowNs() - begin) / 1e9;
  }

  void StartHeartbeats() {
    beating_ = true;
    const double step = options_.period_seconds / static_cast<double>(legs_.size());
    for (std::size_t i = 0; i < legs_.size(); ++i) Beat(i, step * static_cast<double>(i));
  }
  void StopHeartbeats() { beating_ = false; }

  void CloseAll() {
    closing_ = true;
    for (auto& leg : legs_) leg->Abort();
  }

  nlohmann::json WithFailures(nlohmann::json figures) const {
    figures["connected"] = connected_;
    figures["failures"] = failures_;
    if (failures_ > 0) figures["first_failure"] = first_failure_;
    return figures;
  }

 private:
  void OpenMore() {
    while (opening_ < options_.concurrency && static_cast<int>(legs_.size()) < options_.sessions) {
      ++opening_;
      Open(devices_.first + static_cast<int>(legs_.size()));
    }
  }

  void Open(int number) {
    const std::string unit_id = absl::StrFormat("%012X", 0x00E0C5000000 + number);
    UpgradeRequest request;
    request.path = "/device-connector/device/ws-connect";
    request.headers.push_back("Sec-WebSocket-Protocol: fairlead.unified.v1");
    const bssl::UniquePtr<X509> certificate = issuer_.Issue(unit_id, number + 1);
    request.prepare = [&](SSL* ssl) {
      SSL_use_certificate(ssl, certificate.get());
      SSL_use_PrivateKey(ssl, issuer_.key());
    };
    Route route;
    route.port = devices_.port;
    if (devices_.source_addresses > 0) {
      const std::uint32_t host = static_cast<std::uint32_t>(number) %
                                 static_cast<std::uint32_t>(devices_.source_addresses);
      route.source = (127u << 24) | static_cast<std::uint32_t>(devices_.source_network) << 16 |
                     (host / 250) << 8 | (host % 250 + 1);
    }
    legs_.push_back(std::make_unique<Leg>(loop_, context_.get(), route, std::move(request), *this));
  }

  void Beat(std::size_t index, double seconds) {
    loop_.After(seconds, [this, index] {
      if (!beating_) return;
      if (legs_[index]->open()) legs_[index]->SendBinary(kHeartbeat, sizeof(kHeartbeat) - 1);
      Beat(index, options_.period_seconds);
    });
  }

  void OnOpen(Leg& leg) override { leg.SendBinary(kHello, sizeof(kHello) - 1); }
  void OnText(Leg&, const std::string&) override {}
  void OnBinary(Leg& leg, const char*, std::size_t, bool last) override {
    // The first message is the welcome.
    if (!last || !welcomed_.insert(&leg).second) return;
    ++connected_;
    --opening_;
    loop_.Post([this] { OpenMore(); });
  }
  void OnDrained(Leg&) override {}
  void OnEnd(Leg& leg, std::uint16_t code, absl::string_view why) override {
    if (closing_) return;
    Fail(absl::StrCat(why, ", close code ", code));
    if (welcomed_.count(&leg) > 0) {
      --connected_;
      return;
    }
    --opening_;
    loop_.Post([this] { OpenMore(); });
  }

  void Fail(const std::string& why) {
    ++failures_;
    if (first_failure_.empty()) first_failure_ = why;
  }

  EventLoop& loop_;
  const DeviceOptions devices_;
  const RunOptions options_;
  Issuer issuer_;
  const bssl::UniquePtr<SSL_CTX> context_;
  std::vector<std::unique_ptr<Leg>> legs_;
  std::set<const Leg*> welcomed_;
  int opening_ = 0;
  int connected_ = 0;
  int failures_ = 0;
  bool beating_ = false;
  bool closing_ = false;
  std::string first_failure_;
};

}  // namespace

nlohmann::json RunDevices(EventLoop& loop, const DeviceOptions& device_options,
                          const RunOptions& options) {
  Devices devices(loop, device_options, options);
  const double opening = devices.OpenAll();
  PrintPhase(loop, options, devices.WithFailures({{"phase", "opened"}, {"seconds", opening}}));
  devices.StartHeartbeats();
  loop.RunFor(options.seconds);
  devices.StopHeartbeats();
  PrintPhase(loop, options, devices.WithFailures({{"phase", "held"}}));
  devices.CloseAll();
  return devices.WithFailures({{"phase", "closed"}});
}

}  // namespace fairlead::bench
