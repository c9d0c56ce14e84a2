// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See doctor.h.
#include "console/doctor.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "console/icg_commands.h"
#include "console/open_session.h"
#include "console/table.h"
#include "nlohmann/json.hpp"
#include "proto/auth.pb.h"
#include "proto/device.pb.h"

namespace fairlead::console {
namespace {

using Result = Check::Result;

bool Failed(const Check& check) { return check.result == Result::kFail; }

std::string Message(const absl::Status& status) { return std::string(status.message()); }

// Collects the checks of everything.
class Diagnosis {
 public:
  Diagnosis(CommandContext& context, const std::string& unit_id)
      : context_(context), unit_id_(unit_id) {}

  std::vector<Check> Run() && {
    if (CheckServer() && CheckLogin()) {
      CheckIcgs();
      if (!unit_id_.empty()) CheckDevice();
    }
    return std::move(checks_);
  }

 private:
  bool Add(const std::string& leg, const std::string& name, Result result, std::string message) {
    checks_.push_back({leg, name, result, std::move(message)});
    return result == Result::kOk;
  }

  // Whether all of the address's checks hold.
  bool AddAddress(CheckedAddress address) {
    address.proxy = context_.proxy;
    const std::vector<Check> found = CheckAddress(address);
    checks_.insert(checks_.end(), found.begin(), found.end());
    return std::none_of(found.begin(), found.end(), Failed);
  }

  // Whether the server can be called.
  bool CheckServer() {
    const auto endpoint = dataplane::ParseUrl(context_.state.server);
    if (!endpoint.ok()) return Add("server", "url", Result::kFail, Message(endpoint.status()));
    CheckedAddress address;
    address.leg = "server";
    address.endpoint = *endpoint;
    address.trust = ServerOf(context_).trust;
    address.is_server = true;
    AddAddress(std::move(address));
    // A wrong clock or a refused WebSocket is no reason to look no further.
    return std::any_of(checks_.begin(), checks_.end(), [](const Check& check) {
      return check.name == "certificate" && check.result == Result::kOk;
    });
  }

  bool CheckLogin() {
    if (context_.state.token.empty()) {
      return Add("server", "login", Result::kFail,
                 "nobody is logged in here, so nothing more can be checked: run the login command");
    }
    v1::Caller caller;
    const absl::Status status =
        Call(context_, "AuthService.GetCaller", v1::GetCallerRequest(), &caller);
    if (!status.ok()) return Add("server", "login", Result::kFail, Message(status));
    return Add(
        "server", "login", Result::kOk,
        absl::StrCat("logged in as ", caller.user(), " until ", LocalTime(caller.expire_time())));
  }

  void CheckIcgs() {
    const absl::StatusOr<v1::ListIcgsResponse> icgs = FetchIcgs(context_);
    if (absl::IsPermissionDenied(icgs.status()) || absl::IsUnimplemented(icgs.status())) {
      Add("icgs", "list", Result::kSkipped, Message(icgs.status()));
    } else if (!icgs.ok()) {
      Add("icgs", "list", Result::kFail, Message(icgs.status()));
    } else {
      for (const v1::Icg& icg : icgs->icgs()) CheckIcg(icg);
    }
  }

  void CheckIcg(const v1::Icg& icg) {
    if (icg.state() == v1::Icg::CONNECTED) {
      Add(icg.name(), "link", Result::kOk,
          absl::StrCat("the server is linked to it at ", icg.internal_address()));
    } else {
      Add(icg.name(), "link", Result::kFail,
          absl::StrCat("the server is not linked to it at ", icg.internal_address(), ": ",
                       icg.last_error().empty() ? "it has not tried yet" : icg.last_error()));
    }
    const auto endpoint = dataplane::ParseAddress(icg.external_address());
    if (!endpoint.ok()) {
      Add(icg.name(), "address", Result::kFail, Message(endpoint.status()));
      return;
    }
    CheckedAddress address;
    address.leg = icg.name();
    address.endpoint = *endpoint;
    address.trust = TunnelTrust(ServerOf(context_), absl::StrCat("wss://", HostHeader(*endpoint)));
    AddAddress(std::move(address));
  }

  void CheckDevice() {
    v1::GetDeviceRequest request;
    request.set_name(ResourceName("devices", unit_id_));
    const std::string leg = request.name();
    v1::Device device;
    const absl::Status status = Call(context_, "DeviceService.GetDevice", request, &device);
    if (!status.ok()) {
      Add(leg, "known", Result::kFail, Message(status));
      return;
    }
    Add(leg, "known", Result::kOk,
        device.display_name().empty()
            ? "the server knows it"
            : absl::StrCat("the server knows it as ", device.display_name()));
    if (device.terminal().enabled()) {
      Add(leg, "terminal", Result::kOk, "its terminal is enabled");
    } else {
      Add(leg, "terminal", Result::kFail,
          "its terminal is disabled: have an administrator enable it in its terminal settings");
    }
    CheckConnection(leg, device);
  }

  void CheckConnection(const std::string& leg, const v1::Device& device) {
    const v1::Connection& connection = device.connection();
    if (connection.state() != v1::Connection::ONLINE) {
      Add(leg, "online", Result::kFail, WhyOffline(device));
      return;
    }
    const bool over_icg = connection.via() == v1::Connection::ICG;
    Add(leg, "online", Result::kOk,
        absl::StrCat("online ", over_icg ? absl::StrCat("via ", connection.icg()) : "directly",
                     " since ", LocalTime(connection.since_time())));
    const bool os11 = device.os_generation() == v1::Device::OS_11;
    const v1::Session::Flow flow =
        os11 ? (over_icg ? v1::Session::OS11_ICG : v1::Session::OS11_DIRECT)
             : (over_icg ? v1::Session::OS12_ICG : v1::Session::OS12_DIRECT);
    Add(leg, "flow", Result::kOk,
        absl::StrCat("a terminal would take the flow ", v1::Session::Flow_Name(flow)));
  }

  static std::string WhyOffline(const v1::Device& device) {
    const std::string since =
        absl::StrCat("it is offline, and was last seen: ", LocalTime(device.last_seen_time()));
    if (!device.connection().last_error().empty()) {
      return absl::StrCat(since, "; ", device.connection().last_error());
    }
    if (device.os_generation() == v1::Device::OS_11 && device.address().empty()) {
      return absl::StrCat(since,
                          "; it is an OS 11 device without an address: give it one with "
                          "`devices update ",
                          device.unit_id(), " --address HOST:PORT`, or connect it to an ICG");
    }
    return absl::StrCat(since,
                        ": check that it is switched on and that its agent runs and reaches "
                        "the server or an ICG");
  }

  CommandContext& context_;
  const std::string& unit_id_;
  std::vector<Check> checks_;
};

const char* ResultText(Result result) {
  switch (result) {
    case Result::kOk:
      return "ok";
    case Result::kFail:
      return "FAIL";
    case Result::kSkipped:
      return "skip";
  }
  return "";
}

}  // namespace

std::vector<Check> Diagnose(CommandContext& context, const std::string& unit_id) {
  return Diagnosis(context, unit_id).Run();
}

std::string FormatChecks(const std::vector<Check>& checks, OutputFormat output) {
  if (output == OutputFormat::kTable) {
    std::vector<std::vector<std::string>> rows;
    for (const Check& check : checks) {
      rows.push_back({ResultText(check.result), check.leg, check.name, check.message});
    }
    return FormatTable(rows);
  }
  nlohmann::json list = nlohmann::json::array();
  for (const Check& check : checks) {
    list.push_back({{"result", ResultText(check.result)},
                    {"leg", check.leg},
                    {"check", check.name},
                    {"message", check.message}});
  }
  return list.dump(2, ' ', true, nlohmann::json::error_handler_t::replace) + "\n";
}

absl::StatusOr<int> Doctor(CommandContext& context, const std::string& unit_id) {
  const std::vector<Check> checks = Diagnose(context, unit_id);
  std::fputs(FormatChecks(checks, context.output).c_str(), stdout);
  return std::any_of(checks.begin(), checks.end(), Failed) ? 1 : 0;
}

}  // namespace fairlead::console
