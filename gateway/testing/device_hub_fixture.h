// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A device hub whose devices are WebSockets in memory, and what it tells the server.
#ifndef FAIRLEAD_GATEWAY_TESTING_DEVICE_HUB_FIXTURE_H_
#define FAIRLEAD_GATEWAY_TESTING_DEVICE_HUB_FIXTURE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_matchers.h"
#include "dataplane/testing/fake_websocket.h"
#include "gateway/device_hub.h"
#include "gateway/testing/fakes.h"
#include "gtest/gtest.h"

namespace fairlead::gateway {

// A device's first message.
inline std::string Hello() {
  v1::DeviceMessage message;
  message.mutable_hello()->set_protocol_version(1);
  message.mutable_hello()->set_agent_version("1.0");
  return message.SerializeAsString();
}

// A handshake with a certificate that has these URIs; without one if there are none.
inline dataplane::HttpRequest RequestWith(std::vector<std::string> uris) {
  dataplane::HttpRequest request;
  request.peer.address = "192.0.2.1:4711";
  if (!uris.empty()) {
    request.peer.certificate.emplace();
    request.peer.certificate->uris = std::move(uris);
    request.peer.certificate->fingerprint = "print-a";
  }
  return request;
}

class DeviceHubTest : public ::testing::Test {
 protected:
  // A device that dials: its end of the WebSocket, and whether the hub has done with it.
  struct Device {
    std::unique_ptr<dataplane::WebSocket> end;
    std::shared_ptr<bool> served;
  };

  Device Dial(const std::string& unit, dataplane::FakeWebSocketOptions options = {}) {
    options.first_peer.address = "192.0.2.1:4711";
    dataplane::FakeWebSocketPair pair =
        dataplane::MakeFakeWebSocketPair(io_.get_executor(), options);
    Device device;
    device.end = std::move(pair.second);
    device.served =
        Spawn(io_, hub_->Serve(DeviceIdentity{unit, "print-" + unit}, std::move(pair.first)));
    return device;
  }

  void Say(Device& device, const std::string& bytes) {
    EXPECT_THAT(Await(io_, device.end->WriteBinary(bytes)), IsOk());
  }

  // Reads until the end, which is returned.
  dataplane::CloseReason End(Device& device) {
    for (;;) {
      const dataplane::Message message = Await(io_, device.end->ReadMessage());
      if (!message.open) {
        RunUntil(io_, [&] { return *device.served; });
        return message.close;
      }
    }
  }

  Device Connect(const std::string& unit) {
    const std::size_t before = sink_.events().size();
    Device device = Dial(unit);
    Say(device, Hello());
    RunUntil(io_, [&] { return sink_.events().size() > before; });
    return device;
  }

  // "+a/1" came, "-a/1" went, "a/1:4" said something of case 4.
  std::vector<std::string> Told() const {
    std::vector<std::string> told;
    for (const v1::EdgeEvent& event : sink_.events()) {
      if (event.has_device_connected()) {
        told.push_back(absl::StrCat("+", event.device_connected().unit_id(), "/",
                                    event.device_connected().connection_id()));
      } else if (event.has_device_disconnected()) {
        told.push_back(absl::StrCat("-", event.device_disconnected().unit_id(), "/",
                                    event.device_disconnected().connection_id()));
      } else {
        told.push_back(absl::StrCat(event.device_report().unit_id(), "/",
                                    event.device_report().connection_id(), ":",
                                    event.device_report().message().message_case()));
      }
    }
    return told;
  }

  dataplane::net::io_context io_;
  FakeClock clock_;
  RecordingSink sink_;
  DeviceHubOptions options_;
  std::unique_ptr<DeviceHub> hub_ = std::make_unique<DeviceHub>(sink_, clock_, options_);

  void Restart() { hub_ = std::make_unique<DeviceHub>(sink_, clock_, options_); }
};

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_TESTING_DEVICE_HUB_FIXTURE_H_
