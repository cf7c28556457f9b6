print("dseg")
