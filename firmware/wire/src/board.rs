//! The boards that firmware is built for. An image for one is never run on another.

codes! {
    /// A board.
    Board {
        Mps2An385 = 1 "mps2-an385" "Arm MPS2 开发板（AN385，Cortex-M3，可仿真）" "Arm MPS2 with AN385, Cortex-M3, emulated";
        Lm3s6965evb = 2 "lm3s6965evb" "Stellaris LM3S6965 评估板（Cortex-M3，可仿真）" "Stellaris LM3S6965 evaluation board, Cortex-M3, emulated";
        Stm32f405 = 3 "stm32f405" "STM32F405 现场板（Cortex-M4）" "field board with an STM32F405, Cortex-M4";
        Software = 0x7F00 "software" "软件节点（在网关主机上运行）" "software node, run on a host";
    }
}
